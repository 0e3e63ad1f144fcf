// Command quickstart is the program the app console shows to developers.
//
// The console puts the server's address and the app's id in place of the two examples below. It is compiled
// with the server, so what people copy is known to build against the official SDK.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	lark "github.com/larksuite/oapi-sdk-go/v3"
	"github.com/larksuite/oapi-sdk-go/v3/core/httpserverext"
	"github.com/larksuite/oapi-sdk-go/v3/event/dispatcher"
	larkvc "github.com/larksuite/oapi-sdk-go/v3/service/vc/v1"
)

const (
	baseURL = "https://huilu.example"
	appID   = "cli_example"
)

func main() {
	client := lark.NewClient(appID, os.Getenv("APP_SECRET"), lark.WithOpenBaseUrl(baseURL))

	// 1. Reserve a meeting for a person and print its address.
	reserve, err := client.Vc.V1.Reserve.Apply(context.Background(), larkvc.NewApplyReserveReqBuilder().
		UserIdType("open_id").
		Body(larkvc.NewApplyReserveReqBodyBuilder().
			OwnerId(os.Getenv("OWNER_OPEN_ID")).
			EndTime(strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)).
			MeetingSettings(larkvc.NewReserveMeetingSettingBuilder().Topic("Weekly review").AutoRecord(true).Build()).
			Build()).
		Build())
	if err != nil {
		log.Fatal(err)
	}
	if !reserve.Success() {
		log.Fatalf("reserve: %d %s", reserve.Code, reserve.Msg)
	}
	fmt.Println("open this address to join:", *reserve.Data.Reserve.Url)

	// 2. Wait for recording_ready, then fetch the recording.
	events := dispatcher.NewEventDispatcher(os.Getenv("VERIFICATION_TOKEN"), os.Getenv("ENCRYPT_KEY")).
		OnP2MeetingRecordingReadyV1(func(ctx context.Context, ready *larkvc.P2MeetingRecordingReadyV1) error {
			got, err := client.Vc.V1.MeetingRecording.Get(ctx, larkvc.NewGetMeetingRecordingReqBuilder().
				MeetingId(*ready.Event.Meeting.Id).Build())
			if err != nil {
				return err
			}
			if !got.Success() {
				return fmt.Errorf("recording: %d %s", got.Code, got.Msg)
			}
			fmt.Println("recording:", *got.Data.Recording.Url, *got.Data.Recording.Duration, "ms")
			return nil
		})
	http.HandleFunc("/webhook", httpserverext.NewEventHandlerFunc(events))
	log.Fatal(http.ListenAndServe(":9000", nil))
}
