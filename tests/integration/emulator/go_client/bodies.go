package main

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
)

const (
	group    = "go-host"
	location = "eastus"
	sshKey   = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBenchHostIntegrationTestKey tester"
)

var ubuntu = armcompute.ImageReference{
	Publisher: to.Ptr("Canonical"), Offer: to.Ptr("ubuntu-24_04-lts"), SKU: to.Ptr("server"), Version: to.Ptr("latest"),
}

func tags(name, value string) map[string]*string { return map[string]*string{name: to.Ptr(value)} }

func size(name string) *armcompute.HardwareProfile {
	return &armcompute.HardwareProfile{VMSize: to.Ptr(armcompute.VirtualMachineSizeTypes(name))}
}

func securityGroup() armnetwork.SecurityGroup {
	rule := &armnetwork.SecurityRule{Name: to.Ptr("ssh"), Properties: &armnetwork.SecurityRulePropertiesFormat{
		Access:                   to.Ptr(armnetwork.SecurityRuleAccessAllow),
		Direction:                to.Ptr(armnetwork.SecurityRuleDirectionInbound),
		Protocol:                 to.Ptr(armnetwork.SecurityRuleProtocolTCP),
		Priority:                 to.Ptr[int32](100),
		SourceAddressPrefix:      to.Ptr("*"),
		SourcePortRange:          to.Ptr("*"),
		DestinationAddressPrefix: to.Ptr("*"),
		DestinationPortRange:     to.Ptr("22"),
	}}
	return armnetwork.SecurityGroup{
		Location:   to.Ptr(location),
		Properties: &armnetwork.SecurityGroupPropertiesFormat{SecurityRules: []*armnetwork.SecurityRule{rule}},
	}
}

func virtualNetwork() armnetwork.VirtualNetwork {
	space := &armnetwork.AddressSpace{AddressPrefixes: []*string{to.Ptr("10.1.0.0/16")}}
	return armnetwork.VirtualNetwork{
		Location:   to.Ptr(location),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{AddressSpace: space},
	}
}

func subnetIn(rules *string) armnetwork.Subnet {
	return armnetwork.Subnet{Properties: &armnetwork.SubnetPropertiesFormat{
		AddressPrefix:        to.Ptr("10.1.0.0/24"),
		NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: rules},
	}}
}

func publicAddress() armnetwork.PublicIPAddress {
	return armnetwork.PublicIPAddress{
		Location: to.Ptr(location),
		SKU:      &armnetwork.PublicIPAddressSKU{Name: to.Ptr(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{
			PublicIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodStatic),
		},
	}
}

func networkInterface(subnet, address *string) armnetwork.Interface {
	first := &armnetwork.InterfaceIPConfiguration{
		Name: to.Ptr("first"),
		Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
			Subnet:          &armnetwork.Subnet{ID: subnet},
			PublicIPAddress: &armnetwork.PublicIPAddress{ID: address},
		},
	}
	return armnetwork.Interface{
		Location: to.Ptr(location),
		Properties: &armnetwork.InterfacePropertiesFormat{
			IPConfigurations: []*armnetwork.InterfaceIPConfiguration{first},
		},
	}
}

func machine(nic *string) armcompute.VirtualMachine {
	key := &armcompute.SSHPublicKey{Path: to.Ptr("/home/tester/.ssh/authorized_keys"), KeyData: to.Ptr(sshKey)}
	return armcompute.VirtualMachine{
		Location: to.Ptr(location),
		Tags:     tags("owner", "go"),
		Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: size("Standard_D2s_v5"),
			StorageProfile: &armcompute.StorageProfile{
				ImageReference: &ubuntu,
				OSDisk: &armcompute.OSDisk{
					Name:         to.Ptr("vm-os"),
					CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesFromImage),
					DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDelete),
				},
				DataDisks: []*armcompute.DataDisk{{
					Name:         to.Ptr("vm-data"),
					Lun:          to.Ptr[int32](0),
					DiskSizeGB:   to.Ptr[int32](64),
					CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesEmpty),
				}},
			},
			OSProfile: &armcompute.OSProfile{
				ComputerName:  to.Ptr("vm"),
				AdminUsername: to.Ptr("tester"),
				LinuxConfiguration: &armcompute.LinuxConfiguration{
					DisablePasswordAuthentication: to.Ptr(true),
					SSH:                           &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{key}},
				},
			},
			NetworkProfile: &armcompute.NetworkProfile{
				NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{ID: nic}},
			},
		},
	}
}

func emptyDisk(gigabytes int32) armcompute.Disk {
	return armcompute.Disk{Location: to.Ptr(location), Properties: &armcompute.DiskProperties{
		CreationData: &armcompute.CreationData{CreateOption: to.Ptr(armcompute.DiskCreateOptionEmpty)},
		DiskSizeGB:   to.Ptr(gigabytes),
	}}
}
