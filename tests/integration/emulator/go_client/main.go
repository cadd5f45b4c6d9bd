// Lives the whole life of a host with Azure's SDK for Go and prints what it saw, a JSON object a line.
//
// Run by test_go_client.py. Nothing here knows the emulator: the cloud is described as any sovereign cloud is, with
// AZURE_RESOURCE_MANAGER_ENDPOINT, AZURE_RESOURCE_MANAGER_AUDIENCE, AZURE_AUTHORITY_HOST and Go's own SSL_CERT_FILE;
// AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_SUBSCRIPTION_ID say who asks. The first error that
// is not expected ends it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

var ctx = context.Background()

// clients are the SDK's, of one subscription.
type clients struct {
	groups    *armresources.ResourceGroupsClient
	resources *armresources.Client
	machines  *armcompute.VirtualMachinesClient
	disks     *armcompute.DisksClient
	compute   *armcompute.ClientFactory
	network   *armnetwork.ClientFactory
}

func main() {
	log.SetFlags(0)
	refuseWrongSecret()
	azure := connect(os.Getenv("AZURE_CLIENT_SECRET"))
	makeGroup(azure)
	nic := makeNetwork(azure)
	makeMachine(azure, nic)
	list(azure)
	power(azure)
	change(azure)
	lookUpOffers(azure)
	collectRefusals(azure)
	remove(azure)
}

func connect(secret string) clients {
	options := &arm.ClientOptions{ClientOptions: azcore.ClientOptions{Cloud: cloud.Configuration{
		ActiveDirectoryAuthorityHost: os.Getenv("AZURE_AUTHORITY_HOST"),
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {
			Endpoint: os.Getenv("AZURE_RESOURCE_MANAGER_ENDPOINT"),
			Audience: os.Getenv("AZURE_RESOURCE_MANAGER_AUDIENCE"),
		}},
	}}}
	credential := must(azidentity.NewClientSecretCredential(
		os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), secret,
		// Whether a cloud exists is asked of Azure's public one, which knows no private clouds.
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options.ClientOptions, DisableInstanceDiscovery: true},
	))
	subscription := os.Getenv("AZURE_SUBSCRIPTION_ID")
	resources := must(armresources.NewClientFactory(subscription, credential, options))
	compute := must(armcompute.NewClientFactory(subscription, credential, options))
	return clients{
		groups:    resources.NewResourceGroupsClient(),
		resources: resources.NewClient(),
		machines:  compute.NewVirtualMachinesClient(),
		disks:     compute.NewDisksClient(),
		compute:   compute,
		network:   must(armnetwork.NewClientFactory(subscription, credential, options)),
	}
}

func refuseWrongSecret() {
	_, err := connect("wrong").groups.Get(ctx, group, nil)
	var refused *azidentity.AuthenticationFailedError
	if !errors.As(err, &refused) {
		log.Fatalf("a wrong secret was not refused: %v", err)
	}
	tell("wrong secret", seen{"status": refused.RawResponse.StatusCode})
}

type seen map[string]any

// tell prints what was seen in a step.
func tell(step string, what seen) {
	what["step"] = step
	if err := json.NewEncoder(os.Stdout).Encode(what); err != nil {
		log.Fatal(err)
	}
}

// tellRefusal prints the status and code of ARM's refusal, and ends the program for any other error and for none.
func tellRefusal(step string, err error) {
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) {
		log.Fatalf("%s: a refusal was expected, not %v", step, err)
	}
	tell(step, seen{"status": refused.StatusCode, "code": refused.ErrorCode})
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// done waits for the end of an operation.
func done[T any](poller *runtime.Poller[T], err error) T {
	return must(must(poller, err).PollUntilDone(ctx, nil))
}

// all collects what a list has and counts its pages.
func all[P, T any](pager *runtime.Pager[P], items func(P) []T) (found []T, pages int) {
	for pager.More() {
		found = append(found, items(must(pager.NextPage(ctx)))...)
		pages++
	}
	return found, pages
}
