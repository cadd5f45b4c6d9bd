package main

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

func makeGroup(azure clients) {
	before := must(azure.groups.CheckExistence(ctx, group, nil)).Success
	body := armresources.ResourceGroup{Location: to.Ptr(location), Tags: tags("owner", "go")}
	made := must(azure.groups.CreateOrUpdate(ctx, group, body, nil))
	after := must(azure.groups.CheckExistence(ctx, group, nil)).Success
	tell("group", seen{"before": before, "after": after, "state": made.Properties.ProvisioningState})
}

func makeNetwork(azure clients) *string {
	rules := done(azure.network.NewSecurityGroupsClient().BeginCreateOrUpdate(ctx, group, "nsg", securityGroup(), nil))
	done(azure.network.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, "net", virtualNetwork(), nil))
	subnets := azure.network.NewSubnetsClient()
	subnet := done(subnets.BeginCreateOrUpdate(ctx, group, "net", "hosts", subnetIn(rules.ID), nil))
	address := done(azure.network.NewPublicIPAddressesClient().BeginCreateOrUpdate(ctx, group, "ip", publicAddress(), nil))
	body := networkInterface(subnet.ID, address.ID)
	nic := done(azure.network.NewInterfacesClient().BeginCreateOrUpdate(ctx, group, "nic", body, nil))
	tell("network", seen{
		"rules":   len(rules.Properties.SecurityRules),
		"subnet":  subnet.Properties.ProvisioningState,
		"address": address.Properties.IPAddress,
		"private": nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress,
	})
	return nic.ID
}

func makeMachine(azure clients, nic *string) {
	made := done(azure.machines.BeginCreateOrUpdate(ctx, group, "vm", machine(nic), nil))
	storage := made.Properties.StorageProfile
	tell("machine", seen{
		"state":     made.Properties.ProvisioningState,
		"size":      made.Properties.HardwareProfile.VMSize,
		"tags":      made.Tags,
		"vmId":      made.Properties.VMID,
		"osDisk":    storage.OSDisk.Name,
		"dataDisks": len(storage.DataDisks),
		"image":     storage.ImageReference.ExactVersion,
		"power":     powerState(azure),
	})
}

func powerState(azure clients) string {
	for _, status := range must(azure.machines.InstanceView(ctx, group, "vm", nil)).Statuses {
		if state, is := strings.CutPrefix(*status.Code, "PowerState/"); is {
			return state
		}
	}
	return ""
}

func list(azure clients) {
	machinesOf := func(page armcompute.VirtualMachinesClientListAllResponse) []*armcompute.VirtualMachine {
		return page.Value
	}
	machines, _ := all(azure.machines.NewListAllPager(nil), machinesOf)
	statusOnly := &armcompute.VirtualMachinesClientListAllOptions{StatusOnly: to.Ptr("true")}
	statuses, _ := all(azure.machines.NewListAllPager(statusOnly), machinesOf)
	resources, pages := all(azure.resources.NewListByResourceGroupPager(group, nil),
		func(page armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
			return page.Value
		})
	types := []string{}
	for _, resource := range resources {
		types = append(types, *resource.Type)
	}
	tell("lists", seen{
		"machine":  machines[0].Name,
		"statuses": len(statuses[0].Properties.InstanceView.Statuses),
		"types":    types,
		"pages":    pages,
	})
}

func power(azure clients) {
	states := []string{}
	see := func() { states = append(states, powerState(azure)) }
	done(azure.machines.BeginPowerOff(ctx, group, "vm", nil))
	see()
	done(azure.machines.BeginStart(ctx, group, "vm", nil))
	see()
	done(azure.machines.BeginDeallocate(ctx, group, "vm", nil))
	see()
	done(azure.machines.BeginStart(ctx, group, "vm", nil))
	see()
	token := must(must(azure.machines.BeginRestart(ctx, group, "vm", nil)).ResumeToken())
	resumed := &armcompute.VirtualMachinesClientBeginRestartOptions{ResumeToken: token}
	done(azure.machines.BeginRestart(ctx, group, "vm", resumed))
	see()
	tell("power", seen{"states": states})
}

func change(azure clients) {
	patch := armcompute.VirtualMachineUpdate{Tags: tags("seen", "yes")}
	tagged := done(azure.machines.BeginUpdate(ctx, group, "vm", patch, nil))
	properties := &armcompute.VirtualMachineProperties{HardwareProfile: size("Standard_D4s_v5")}
	patch = armcompute.VirtualMachineUpdate{Properties: properties}
	resized := done(azure.machines.BeginUpdate(ctx, group, "vm", patch, nil))
	read := must(azure.machines.Get(ctx, group, "vm", nil)).VirtualMachine
	written := done(azure.machines.BeginCreateOrUpdate(ctx, group, "vm", read, nil))
	made := done(azure.disks.BeginCreateOrUpdate(ctx, group, "more", emptyDisk(8), nil))
	grown := done(azure.disks.BeginUpdate(ctx, group, "more", armcompute.DiskUpdate{
		Properties: &armcompute.DiskUpdateProperties{DiskSizeGB: to.Ptr[int32](16)},
	}, nil))
	tell("change", seen{
		"tags":    tagged.Tags,
		"sizes":   []any{resized.Properties.HardwareProfile.VMSize, written.Properties.HardwareProfile.VMSize},
		"diskGBs": []any{made.Properties.DiskSizeGB, grown.Properties.DiskSizeGB},
	})
}

func lookUpOffers(azure clients) {
	filter := &armcompute.ResourceSKUsClientListOptions{Filter: to.Ptr("location eq '" + location + "'")}
	skus, _ := all(azure.compute.NewResourceSKUsClient().NewListPager(filter),
		func(page armcompute.ResourceSKUsClientListResponse) []*armcompute.ResourceSKU { return page.Value })
	usages, _ := all(azure.compute.NewUsageClient().NewListPager(location, nil),
		func(page armcompute.UsageClientListResponse) []*armcompute.Usage { return page.Value })
	cores := map[string]int32{}
	for _, usage := range usages {
		cores[*usage.Name.Value] = *usage.CurrentValue
	}
	addresses, _ := all(azure.network.NewUsagesClient().NewListPager(location, nil),
		func(page armnetwork.UsagesClientListResponse) []*armnetwork.Usage { return page.Value })
	images := azure.compute.NewVirtualMachineImagesClient()
	versions := must(images.List(ctx, location, *ubuntu.Publisher, *ubuntu.Offer, *ubuntu.SKU, nil))
	newest := *versions.VirtualMachineImageResourceArray[0].Name
	image := must(images.Get(ctx, location, *ubuntu.Publisher, *ubuntu.Offer, *ubuntu.SKU, newest, nil))
	tell("offers", seen{
		"skus":          len(skus),
		"cores":         cores["cores"],
		"networkUsages": len(addresses),
		"image":         newest,
		"system":        image.Properties.OSDiskImage.OperatingSystem,
	})
}

func collectRefusals(azure clients) {
	_, err := azure.machines.Get(ctx, group, "nobody", nil)
	tellRefusal("absent machine", err)
	_, err = azure.machines.Get(ctx, "nowhere", "vm", nil)
	tellRefusal("absent group", err)
	unknown := armcompute.VirtualMachineUpdate{
		Properties: &armcompute.VirtualMachineProperties{HardwareProfile: size("Standard_None")},
	}
	_, err = azure.machines.BeginUpdate(ctx, group, "vm", unknown, nil)
	tellRefusal("unknown size", err)
	stale := &armcompute.VirtualMachinesClientBeginUpdateOptions{IfMatch: to.Ptr(`"0"`)}
	_, err = azure.machines.BeginUpdate(ctx, group, "vm", armcompute.VirtualMachineUpdate{}, stale)
	tellRefusal("stale etag", err)
	_, err = azure.network.NewInterfacesClient().BeginDelete(ctx, group, "nic", nil)
	tellRefusal("interface in use", err)
	_, err = azure.compute.NewVirtualMachineExtensionsClient().BeginCreateOrUpdate(
		ctx, group, "vm", "agent", armcompute.VirtualMachineExtension{Location: to.Ptr(location)}, nil)
	tellRefusal("not emulated", err)
}

func remove(azure clients) {
	done(azure.machines.BeginDelete(ctx, group, "vm", nil))
	done(azure.machines.BeginDelete(ctx, group, "vm", nil)) // deleting what is gone is no error
	_, err := azure.machines.Get(ctx, group, "vm", nil)
	tellRefusal("deleted machine", err)
	_, err = azure.disks.Get(ctx, group, "vm-os", nil)
	tellRefusal("disk of the deleted machine", err)
	done(azure.disks.BeginDelete(ctx, group, "vm-data", nil))
	done(azure.network.NewInterfacesClient().BeginDelete(ctx, group, "nic", nil))
	done(azure.network.NewPublicIPAddressesClient().BeginDelete(ctx, group, "ip", nil))
	done(azure.groups.BeginDelete(ctx, group, nil))
	tell("end", seen{"group": must(azure.groups.CheckExistence(ctx, group, nil)).Success})
}
