package pages

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"huilu/internal/field"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

var chinese = regexp.MustCompile(`\p{Han}`)

func TestEveryRefusalHasASentenceInBothLanguages(t *testing.T) {
	t.Parallel()
	check := func(what string, f fault) {
		if f.Code == "" || f.Status < 400 || !strings.HasSuffix(f.EN, ".") || chinese.MatchString(f.EN) || !chinese.MatchString(f.ZH) || !strings.HasSuffix(f.ZH, "。") {
			t.Errorf("%s: %+v", what, f)
		}
	}
	check("internal", internal)
	for _, row := range book {
		check(row.rule.Error(), row.fault)
	}
	for name := range inputs {
		check(name, lookUp(field.Invalid(name, "is wrong")))
	}
	check("meeting password", lookUp(field.Because(meeting.ErrBadPassword, "meeting_settings.password", "x")))
	check("challenge", lookUp(notVerified))
	check("body", lookUp(&bodyError{English: "the body is not valid JSON"}))
	check("too many", lookUp(&tooMany{Wait: 1}))
	for code := range oauthTexts {
		check(fmt.Sprint(code), lookUp(&OAuthError{Code: code, Text: "No."}))
	}
	check("other authorize codes", lookUp(&OAuthError{Code: 1, Text: "No."}))
}

// unreachable are refusals of the domain that no call of the pages can meet, and why.
var unreachable = map[string]string{
	"meeting.ErrReserveNotFound": "Door and Enter say ErrExpired", "meeting.ErrNoActiveMeeting": "reserves are not read here",
	"meeting.ErrRecordParam": "pages make no one-to-one calls", "meeting.ErrTooManyHosts": "pages assign no hosts", "meeting.ErrBadPassword": "comes as the reason of a field",
	"meeting.ErrNumberTaken": "Apply draws another",
	"recording.ErrNotFound":  "recordings are not fetched here", "recording.ErrNotOwner": "recordings are not fetched here", "recording.ErrNotEnded": "recordings are not fetched here",
	"recording.ErrProduction": "recordings are not fetched here", "recording.ErrMoved": "only composers meet it",
	"minute.ErrLinkInvalid": "signed links are not served here", "tenant.ErrSecretInvalid": "apps do not sign in here",
	"tenant.ErrIDUnknown": "ids of people are the API's", "tenant.ErrIDCrossApp": "ids of people are the API's", "tenant.ErrIDOtherKind": "ids of people are the API's",
}

// A rule that is added to the domain would else be "internal" here until somebody notices.
func TestEveryRuleOfTheDomainIsInTheBookOrCannotComeUp(t *testing.T) {
	t.Parallel()
	var listed []string
	for _, err := range []struct {
		name string
		err  error
	}{
		{"meeting.ErrNotFound", meeting.ErrNotFound}, {"meeting.ErrNotPermitted", meeting.ErrNotPermitted}, {"meeting.ErrNotRunning", meeting.ErrNotRunning},
		{"meeting.ErrNotInMeeting", meeting.ErrNotInMeeting}, {"meeting.ErrTargetNotInside", meeting.ErrTargetNotInside}, {"meeting.ErrSelf", meeting.ErrSelf},
		{"meeting.ErrFull", meeting.ErrFull}, {"meeting.ErrLocked", meeting.ErrLocked}, {"meeting.ErrBadHost", meeting.ErrBadHost}, {"meeting.ErrWrongPassword", meeting.ErrWrongPassword},
		{"meeting.ErrLoginNeeded", meeting.ErrLoginNeeded}, {"meeting.ErrJoinNotAllowed", meeting.ErrJoinNotAllowed}, {"meeting.ErrRemoved", meeting.ErrRemoved}, {"meeting.ErrExpired", meeting.ErrExpired},
		{"recording.ErrSwitchedOff", recording.ErrSwitchedOff}, {"recording.ErrProcessing", recording.ErrProcessing}, {"recording.ErrNotRecording", recording.ErrNotRecording},
		{"recording.ErrIsRecording", recording.ErrIsRecording}, {"minute.ErrNotFound", minute.ErrNotFound}, {"minute.ErrNotPermitted", minute.ErrNotPermitted}, {"minute.ErrDeleted", minute.ErrDeleted},
		{"tenant.ErrNotFound", tenant.ErrNotFound}, {"tenant.ErrEmailTaken", tenant.ErrEmailTaken}, {"tenant.ErrBadLogin", tenant.ErrBadLogin},
	} {
		listed = append(listed, err.name)
		if f := lookUp(fmt.Errorf("wrapped: %w", err.err)); f == internal {
			t.Errorf("%s is not in the book", err.name)
		}
	}
	for _, pkg := range []string{"meeting", "recording", "minute", "tenant"} {
		for _, name := range sentinels(t, pkg) {
			if !slices.Contains(listed, name) && unreachable[name] == "" {
				t.Errorf("%s is new: give it a row in the book, or say above why it cannot come up", name)
			}
		}
	}
	if f := lookUp(errors.New("disk on fire")); f != internal {
		t.Errorf("an unknown error is %+v", f)
	}
}

// sentinels are the package-level Err… variables of a domain package.
func sentinels(t *testing.T, pkg string) (names []string) {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
	check(t, err)
	for _, source := range sources {
		f, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		check(t, err)
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				for _, n := range s.(*ast.ValueSpec).Names {
					if strings.HasPrefix(n.Name, "Err") {
						names = append(names, pkg+"."+n.Name)
					}
				}
			}
		}
	}
	if len(names) == 0 {
		t.Errorf("no errors found in package %s", pkg)
	}
	return names
}
