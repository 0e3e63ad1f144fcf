package arch

import (
	"slices"
	"strings"
	"testing"
)

// domain is where the rules live. It asks for what it needs by interfaces of its own.
var domain = []string{
	"internal/event", "internal/field", "internal/ident", "internal/keys", "internal/library", "internal/meeting",
	"internal/minute", "internal/recording", "internal/scope", "internal/tenant", "internal/token",
}

// outside is what a domain package may import that is neither of the domain nor harmless, and why.
var outside = map[string]map[string]string{
	"internal/event":  {"github.com/prometheus/client_golang/prometheus": "counts deliveries where they are decided", "encoding/json": "an event's form on the wire is its own"},
	"internal/keys":   {"os": "the key is a file"},
	"internal/tenant": {"github.com/alexedwards/argon2id": "what a password costs is a rule", "net/mail": "reads addresses, no network", "net/url": "reads addresses, no network"},
	"internal/token":  {"github.com/golang-jwt/jwt/v5": "the form of user tokens is a rule", "github.com/hashicorp/golang-lru/v2/expirable": "how long an app may be remembered is a rule"},
}

// adapters are the parts of the standard library that a domain package has no business with.
var adapters = map[string]string{
	"net":           "surfaces and adapters talk to the world, the domain decides",
	"net/http":      "surfaces translate, the domain decides",
	"net/mail":      "surfaces read addresses",
	"net/url":       "surfaces make addresses",
	"database/sql":  "package store speaks SQL, so that both databases share the rules",
	"encoding/json": "surfaces know the wire",
	"html/template": "surfaces make pages",
	"os":            "what lies on disk is the adapters'",
	"os/exec":       "what runs beside the server is the adapters'",
	"flag":          "settings are handed in",
}

func TestDomainKnowsNoAdapter(t *testing.T) {
	for _, v := range domainViolations(source(t).imports(t)) {
		t.Error(v)
	}
}

func domainViolations(imports map[string]map[string]string) (found []string) {
	for _, pkg := range domain {
		if imports[pkg] == nil {
			found = append(found, pkg+" is not there; correct the list of the domain")
		}
		for _, imp := range sorted(imports[pkg]) {
			if why := whyNot(pkg, imp); why != "" {
				found = append(found, imports[pkg][imp]+" imports "+imp+": "+why)
			}
		}
	}
	return found
}

// whyNot says why a domain package may not import something; nothing when it may.
func whyNot(pkg, imp string) string {
	if _, allowed := outside[pkg][imp]; allowed {
		return ""
	}
	switch inside, ours := strings.CutPrefix(imp, module+"/"); {
	case ours && !slices.Contains(domain, inside):
		return "the domain is below everything else: say what is needed by an interface"
	case !ours && strings.Contains(strings.Split(imp, "/")[0], "."):
		return "no library in the domain without a reason; it would stand in the list of outside"
	}
	return adapters[imp]
}

// rule says which packages alone may import something, tests left out.
type rule struct {
	what string   // an import, with all that lies below it
	only []string // packages; one that ends in /... with all that lie below it
	why  string
}

var rules = []rule{
	{"net/http", []string{"internal/openapi", "internal/pages", "internal/handout", "internal/app/...", "internal/egress", "internal/sfu", "internal/demo", "web/...", "bench"},
		"HTTP is spoken at the edge"},
	{"database/sql", []string{"internal/store/..."}, "SQL is written in one place, tested on both databases"},
	{"github.com/jackc/pgx", []string{"internal/store/..."}, "SQL is written in one place, tested on both databases"},
	{"modernc.org/sqlite", []string{"internal/store"}, "SQL is written in one place, tested on both databases"},
	{"github.com/pressly/goose", []string{"internal/store/..."}, "the schema changes in one place"},
	{"gocloud.dev", []string{"internal/blob"}, "where files are kept can be exchanged behind blob"},
	{"github.com/livekit", []string{"internal/sfu", "internal/recorder", "internal/people", "bench"}, "the media server can be exchanged behind sfu and recorder"},
	{"github.com/pion", []string{"internal/recorder", "internal/compose", "internal/people", "bench"}, "packets are a matter of recorder and composer"},
	{"github.com/larksuite", []string{"internal/demo", "internal/app/apptest", "web/quickstart"}, "the server must not depend on its own client"},
	{"os/exec", []string{"internal/compose", "internal/examine", "internal/health", "internal/importer", "internal/people", "internal/store/storetest", "bench"},
		"the server's child processes are ffmpeg's, where media are made"},

	{"huilu/internal/store", []string{"internal/app", "internal/store/..."}, "surfaces and domain say what they need, app hands it to them"},
	{"huilu/internal/app", []string{"cmd/huilu", "internal/demo", "internal/app/apptest", "bench"}, "app wires the parts; a part does not know the whole"},
	{"huilu/internal/config", []string{"cmd/huilu", "internal/app/...", "internal/demo", "internal/health", "bench"}, "a part is told what it needs, not given all settings"},
	{"huilu/internal/openapi", []string{"internal/app", "bench"}, "nothing is above a surface"},
	{"huilu/internal/pages", []string{"internal/app"}, "nothing is above a surface"},
	{"huilu/internal/sfu", []string{"internal/app", "internal/recorder"}, "the domain sees joins, leaves and tracks"},
	{"huilu/internal/recorder", []string{"internal/app"}, "the keeper starts recorders through its own interface"},
	{"huilu/internal/capture", []string{"internal/recorder", "internal/compose", "internal/producer", "internal/app", "bench"}, "recorder writes, composer reads, nobody else looks into the folder"},
	{"huilu/internal/compose", []string{"internal/producer", "internal/app", "internal/health", "bench"}, "a meeting must not wait for a composition"},
	{"huilu/internal/blob", []string{"internal/app"}, "whoever needs files says so by an interface"},
	{"huilu/internal/job", []string{"internal/app", "internal/store"}, "whoever has work to do says so by an interface"},
	{"huilu/internal/demo", []string{"cmd/huilu"}, "the demo is for people"},

	{"huilu/internal/people", []string{"internal/demo", "internal/examine", "internal/people/...", "internal/app/apptest", "bench"}, "synthetic people are for demo and tests; what serves must not need them"},
	{"huilu/internal/examine", []string{"internal/demo", "bench"}, "examining files is for demo and tests; what serves checks by itself"},
	{"huilu/internal/app/apptest", []string{"bench"}, "it is for tests"},
	{"huilu/internal/store/storetest", nil, "it is for tests"},
	{"testing", []string{"internal/app/apptest", "internal/store/storetest", "bench"}, "it is for tests"},
}

func TestImportsHaveADirection(t *testing.T) {
	imports := source(t).imports(t)
	for _, v := range ruleViolations(imports) {
		t.Error(v)
	}
	for _, r := range rules {
		for _, pkg := range r.only {
			if imports[strings.TrimSuffix(pkg, "/...")] == nil && !strings.HasSuffix(pkg, "/...") {
				t.Errorf("%s may import %s, but is not there", pkg, r.what)
			}
		}
	}
}

func ruleViolations(imports map[string]map[string]string) (found []string) {
	for _, r := range rules {
		for _, pkg := range sorted(imports) {
			for _, imp := range sorted(imports[pkg]) {
				if within(imp, r.what) && !r.allows(pkg, imp) {
					found = append(found, imports[pkg][imp]+" imports "+imp+": "+r.why)
				}
			}
		}
	}
	return found
}

// within reports whether an import is what, or below it.
func within(imp, what string) bool { return imp == what || strings.HasPrefix(imp, what+"/") }

func (r rule) allows(pkg, imp string) bool {
	// What lies below something has a rule of its own, if it has one.
	for _, other := range rules {
		if len(other.what) > len(r.what) && within(imp, other.what) {
			return true
		}
	}
	return slices.ContainsFunc(r.only, func(p string) bool {
		folder, all := strings.CutSuffix(p, "/...")
		return pkg == folder || (all && strings.HasPrefix(pkg, folder+"/"))
	})
}

// alone are packages that know nothing else of huilu, besides what is named: each can be understood, tested and exchanged by itself.
var alone = map[string][]string{
	"internal/blob":        {"internal/ident"},
	"internal/capture":     nil,
	"internal/egress":      nil,
	"internal/field":       nil,
	"internal/handout":     nil,
	"internal/ident":       nil,
	"internal/keys":        nil,
	"internal/limit":       nil,
	"internal/people":      {"internal/people/mark"},
	"internal/people/mark": nil,
	"internal/recorder":    {"internal/capture", "internal/sfu"},
	"internal/compose":     {"internal/capture"},
	"internal/examine":     {"internal/people/mark"},
	"internal/scope":       nil,
	"internal/sfu":         nil,
	"web":                  nil,
}

func TestWhatStandsAloneStaysAlone(t *testing.T) {
	imports := source(t).imports(t)
	for _, pkg := range sorted(alone) {
		if imports[pkg] == nil {
			t.Errorf("%s is not there", pkg)
		}
		for _, imp := range sorted(imports[pkg]) {
			if inside, ours := strings.CutPrefix(imp, module+"/"); ours && !slices.Contains(alone[pkg], inside) {
				t.Errorf("%s imports %s: %s needs nothing of huilu but %v", imports[pkg][imp], imp, pkg, alone[pkg])
			}
		}
	}
}

// The log on disk outlives every crash because nothing in its way can hang: no network, no library, no child process.
func TestCaptureHasNoNetworkInIt(t *testing.T) {
	imports := source(t).imports(t)["internal/capture"]
	for _, imp := range sorted(imports) {
		if within(imp, "net") || imp == "os/exec" || strings.Contains(strings.Split(imp, "/")[0], ".") {
			t.Errorf("%s imports %s: capture is files and nothing else", imports[imp], imp)
		}
	}
}

// The rules above would be worth nothing if they let everything pass.
func TestABrokenRuleIsSeen(t *testing.T) {
	clean := map[string]map[string]string{}
	for _, pkg := range domain {
		clean[pkg] = map[string]string{"context": "a.go"}
	}
	if found := append(domainViolations(clean), ruleViolations(clean)...); len(found) != 0 {
		t.Errorf("nothing is wrong, found %v", found)
	}
	for _, c := range []struct{ pkg, imp string }{
		{"internal/tenant", "net/http"}, {"internal/tenant", "database/sql"}, {"internal/minute", "huilu/internal/store"}, {"internal/meeting", "github.com/livekit/protocol/livekit"},
		{"internal/recording", "huilu/internal/capture"}, {"internal/scope", "os"}, {"internal/event", "huilu/internal/egress"},
	} {
		clean[c.pkg][c.imp] = "b.go"
		if found := domainViolations(clean); len(found) != 1 || !strings.Contains(found[0], "b.go imports "+c.imp) {
			t.Errorf("%s imports %s: found %v", c.pkg, c.imp, found)
		}
		delete(clean[c.pkg], c.imp)
	}
	for _, c := range []struct{ pkg, imp string }{
		{"internal/openapi", "huilu/internal/store"}, {"internal/pages", "huilu/internal/openapi"}, {"internal/app", "huilu/internal/people/mark"}, {"internal/producer", "huilu/internal/store/storetest"},
		{"internal/openapi", "os/exec"}, {"internal/appendix", "net/http"}, {"internal/limit", "huilu/internal/app"},
	} {
		imports := map[string]map[string]string{c.pkg: {c.imp: "b.go"}}
		if found := ruleViolations(imports); len(found) != 1 {
			t.Errorf("%s imports %s: found %v", c.pkg, c.imp, found)
		}
	}
}
