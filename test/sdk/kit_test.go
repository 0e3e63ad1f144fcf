// Package sdk_test proves that programs written with the official Go SDK work unmodified, but for one base URL: they do the
// whole story against a server that runs, whose people really meet, and every refusal of the recording's page is brought
// about for real and read through the SDK.
//
// The SDK's own types are the test of the wire's: a number where it expects a string would not decode.
package sdk_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	lark "github.com/larksuite/oapi-sdk-go/v3"
	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"
	larkvc "github.com/larksuite/oapi-sdk-go/v3/service/vc/v1"

	"huilu/internal/app/apptest"
	"huilu/internal/people"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// patience is for what normally takes a few seconds, on a machine that does other things too.
const patience = 90 * time.Second

// loop is how long people's clocks run before they begin again.
const loop = 10 * time.Second

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // the WebRTC library of people tells everything it does
	os.Exit(m.Run())
}

// world is a server with an app whose events go to an inbox, and two people.
type world struct {
	*apptest.Server
	t      *testing.T
	app    tenant.App
	secret string // of the app
	api    *lark.Client
	inbox  *apptest.Inbox
	users  []tenant.User
}

// redirect is where the app lets people be sent back to.
const redirect = "http://127.0.0.1/callback"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Server: apptest.Start(t, nil), t: t, inbox: apptest.NewInbox(t)}
	app, secret := w.Program(w.inbox.URL())
	w.app, w.secret, w.api = app, string(secret), w.client(app, secret)
	w.inbox.Open(string(app.Events.VerificationToken), string(app.Events.EncryptKey))
	for i, name := range []string{"Lin Hua 林华", "Zoë Martin"} {
		w.users = append(w.users, w.Person(name, i, tenant.Member))
	}
	return w
}

// client is the SDK as its manual says; it gets tenant tokens by itself.
func (w *world) client(app tenant.App, secret tenant.Secret) *lark.Client {
	return lark.NewClient(app.ID, string(secret), lark.WithOpenBaseUrl(w.URL()), lark.WithLogLevel(larkcore.LogLevelError), lark.WithReqTimeout(30*time.Second))
}

func (w *world) openID(i int) string { return w.Tenants.IDs().Open(w.app, w.users[i].Num) }

// login signs a person in on the pages.
func (w *world) login(i int) *apptest.Visitor {
	w.t.Helper()
	v, err := apptest.Login(w.t.Context(), w.URL(), w.users[i].Email, apptest.Password)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// as makes the SDK act for a person, without the consent page.
func (w *world) as(i int) larkcore.RequestOptionFunc {
	w.t.Helper()
	pair, err := w.Tokens.Mint(w.t.Context(), w.app, w.users[i], w.app.Scopes)
	if err != nil {
		w.t.Fatal(err)
	}
	return larkcore.WithUserAccessToken(pair.Access)
}

// pair is the answer of the token endpoint.
type pair struct {
	Code          int    `json:"code"`
	Error         string `json:"error"`
	Access        string `json:"access_token"`
	ExpiresIn     int    `json:"expires_in"`
	Type          string `json:"token_type"`
	Scope         string `json:"scope"`
	Refresh       string `json:"refresh_token"`
	RefreshExpire int    `json:"refresh_token_expires_in"`
}

const tokenPath = "/open-apis/authen/v2/oauth/token"

// buy calls the token endpoint through the SDK, which has no typed call for it.
func (w *world) buy(body map[string]string) (p pair) {
	w.t.Helper()
	r, err := w.api.Post(w.t.Context(), tokenPath, w.asClient(body), larkcore.AccessTokenTypeNone)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(r.RawBody, &p); err != nil || p.Code != 0 {
		w.t.Fatalf("%v: %s", err, r.RawBody)
	}
	return p
}

// deny is for calls that are refused: the SDK cannot read the OAuth form of a refusal, here as with the original.
func (w *world) deny(what string, code int, body map[string]string) {
	w.t.Helper()
	text, err := json.Marshal(w.asClient(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.URL()+tokenPath, bytes.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var p pair
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Code != code || p.Error != "invalid_grant" || p.Access != "" || resp.StatusCode != http.StatusBadRequest {
		w.t.Errorf("%s: %s, %+v, %v; want %d", what, resp.Status, p, err, code)
	}
}

// asClient adds the app's credentials.
func (w *world) asClient(body map[string]string) map[string]string {
	body["client_id"], body["client_secret"] = w.app.ID, w.secret
	return body
}

// consent is the way of a person through the authorization: the app's link, the consent page, and back with a code.
func (w *world) consent(i int, scopes, state, challenge string) (code string) {
	w.t.Helper()
	query := url.Values{
		"client_id": {w.app.ID}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {scopes}, "state": {state},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()
	page := w.follow("/open-apis/authen/v1/authorize?" + query)
	if page.Path != "/oauth/consent" || page.RawQuery != query {
		w.t.Fatalf("the app's link leads to %s", page)
	}
	v := w.login(i)
	var asked struct {
		App struct {
			Name string `json:"name"`
		} `json:"app"`
		Scopes []struct {
			Name string `json:"name"`
		} `json:"scopes"`
	}
	if err := v.Call(w.t.Context(), http.MethodGet, "/api/oauth/authorize?"+query, nil, &asked); err != nil {
		w.t.Fatal(err)
	}
	if asked.App.Name != w.app.Name || len(asked.Scopes) != len(strings.Fields(scopes)) {
		w.t.Errorf("the page asks for %+v", asked)
	}
	var answer struct {
		Redirect string `json:"redirect"`
	}
	if err := v.Call(w.t.Context(), http.MethodPost, "/api/oauth/authorize", map[string]any{"query": query, "allow": true}, &answer); err != nil {
		w.t.Fatal(err)
	}
	back, err := url.Parse(answer.Redirect)
	if err != nil || !strings.HasPrefix(answer.Redirect, redirect+"?") || back.Query().Get("state") != state {
		w.t.Fatalf("sent back to %q, %v", answer.Redirect, err)
	}
	return back.Query().Get("code")
}

// follow asks for a path and returns where it redirects to.
func (w *world) follow(path string) *url.URL {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.URL()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		w.t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return to
}

// proof makes a PKCE verifier and its challenge.
func proof() (verifier, challenge string) {
	verifier = rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	return verifier, base64.RawURLEncoding.EncodeToString(sum[:])
}

// everyScope is what the app has, as OAuth spells it.
func everyScope() string {
	var names []string
	for _, s := range scope.All() {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

// reply is what every answer of the SDK has.
type reply interface {
	Success() bool
	ErrorResp() string
}

// ok fails unless a call succeeded.
func (w *world) ok(r reply, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	if !r.Success() {
		w.t.Fatal(r.ErrorResp())
	}
}

// reserve reserves a meeting for a person.
func (w *world) reserve(owner int) *larkvc.Reserve {
	w.t.Helper()
	r, err := w.api.Vc.V1.Reserve.Apply(w.t.Context(), larkvc.NewApplyReserveReqBuilder().UserIdType("open_id").Body(larkvc.NewApplyReserveReqBodyBuilder().
		EndTime(seconds(time.Now().Add(time.Hour))).OwnerId(w.openID(owner)).
		MeetingSettings(larkvc.NewReserveMeetingSettingBuilder().Topic("Weekly 周会").Build()).Build()).Build())
	w.ok(r, err)
	return r.Data.Reserve
}

// join lets a person into a meeting by the pages.
func (w *world) join(i int, no string, m *people.Media, o people.Options) (*people.Session, string) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), patience)
	defer stop()
	s, id, err := w.login(i).Join(ctx, no, m, o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Leave)
	return s, id
}

// meeting reads a meeting with its participants.
func (w *world) meeting(id string) *larkvc.Meeting {
	w.t.Helper()
	r, err := w.api.Vc.V1.Meeting.Get(w.t.Context(), larkvc.NewGetMeetingReqBuilder().MeetingId(id).WithParticipants(true).WithMeetingAbility(true).UserIdType("open_id").Build())
	w.ok(r, err)
	return r.Data.Meeting
}

// settled waits until that many people are inside.
func (w *world) settled(id string, n int) {
	w.t.Helper()
	w.Eventually(strconv.Itoa(n)+" people are inside", patience, func() bool {
		inside := 0
		for _, p := range w.meeting(id).Participants {
			if *p.Status == 2 {
				inside++
			}
		}
		return inside == n
	})
}

func (w *world) start(id string, opts ...larkcore.RequestOptionFunc) (*larkvc.StartMeetingRecordingResp, error) {
	return w.api.Vc.V1.MeetingRecording.Start(w.t.Context(), larkvc.NewStartMeetingRecordingReqBuilder().MeetingId(id).
		Body(larkvc.NewStartMeetingRecordingReqBodyBuilder().Timezone(8).Build()).Build(), opts...)
}

func (w *world) stop(id string, opts ...larkcore.RequestOptionFunc) (*larkvc.StopMeetingRecordingResp, error) {
	return w.api.Vc.V1.MeetingRecording.Stop(w.t.Context(), larkvc.NewStopMeetingRecordingReqBuilder().MeetingId(id).Build(), opts...)
}

func (w *world) end(id string, opts ...larkcore.RequestOptionFunc) (*larkvc.EndMeetingResp, error) {
	return w.api.Vc.V1.Meeting.End(w.t.Context(), larkvc.NewEndMeetingReqBuilder().MeetingId(id).Build(), opts...)
}

func (w *world) recording(id string, opts ...larkcore.RequestOptionFunc) *larkvc.GetMeetingRecordingResp {
	w.t.Helper()
	r, err := w.api.Vc.V1.MeetingRecording.Get(w.t.Context(), larkvc.NewGetMeetingRecordingReqBuilder().MeetingId(id).Build(), opts...)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// talk lets time pass.
func (w *world) talk(d time.Duration) {
	w.t.Helper()
	select {
	case <-time.After(d):
	case <-w.t.Context().Done():
		w.t.Fatal(w.t.Context().Err())
	}
}

// refused fails unless the answer is that code with that status, and names the same log id in body and header.
func refused(t *testing.T, what string, code, status int, e larkcore.CodeError, r *larkcore.ApiResp) {
	t.Helper()
	if e.Code != code || r.StatusCode != status {
		t.Errorf("%s: %d %q, HTTP %d; want %d, HTTP %d", what, e.Code, e.Msg, r.StatusCode, code, status)
	}
	if e.Err == nil || e.Err.LogID == "" || e.Err.LogID != r.RequestId() {
		t.Errorf("%s: error %+v, log id %q in the header", what, e.Err, r.RequestId())
	}
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

var draw = sync.OnceValues(func() (media []*people.Media, err error) {
	dir, err := os.MkdirTemp("", "huilu-sdk-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for i, name := range []string{"Lin Hua 林华", "Zoë Martin"} {
		m, err := people.Prepare(context.Background(), people.Person{Name: name, Index: i, Width: 640, Height: 360, FPS: 20}, loop, dir, nil)
		if err != nil {
			return nil, err
		}
		media = append(media, m)
	}
	return media, nil
})

// dressed returns what people show and sound.
func dressed(t *testing.T) []*people.Media {
	t.Helper()
	media, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	return media
}
