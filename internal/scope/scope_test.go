package scope_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"huilu/internal/scope"
)

func TestEveryScopeIsExplainedOnceInBothLanguages(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range scope.All() {
		for what, text := range map[string]string{"name": s.Name, "English": s.TextEN, "Chinese": s.TextZH} {
			if text == "" || seen[text] {
				t.Errorf("%s: its %s is empty or another's: %q", s.Name, what, text)
			}
			seen[text] = true
		}
		if !scope.Known(s.Name) || scope.Known(strings.ToUpper(s.Name)) || s.TextEN == s.TextZH {
			t.Errorf("%s is unknown, or its texts are one", s.Name)
		}
	}
	for _, name := range []string{scope.RecordRead, scope.Record, scope.Reserve, scope.ReserveRead, scope.Meeting, scope.MeetingRead, scope.MeetingEventRead, scope.AllMeetingRead,
		scope.MinutesBasic, scope.MinutesRead, scope.Minutes, scope.MinutesMedia, scope.MinuteDownload, scope.UserID, scope.OfflineAccess} {
		if !seen[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
	if scope.Known("") || scope.Known("vc") {
		t.Error("what is no scope is known")
	}
	scope.All()[0].Name = "changed"
	if scope.All()[0].Name == "changed" {
		t.Error("a caller changed the table")
	}
}

func TestASetIsReadInWhateverOrderAndHasEachOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c", "a:b"})).Draw(t, "words")
		space := rapid.SampledFrom([]string{" ", "  ", "\t", "\n "}).Draw(t, "space")
		set := scope.Parse(space + strings.Join(words, space) + space)
		if !slices.Equal(scope.Parse(set.String()), set) || !slices.IsSorted(set) {
			t.Fatalf("%v is not read back", set)
		}
		for _, w := range []string{"a", "b", "c", "a:b", "", "a b"} {
			if set.Has(w) != slices.Contains(words, w) {
				t.Fatalf("%v has %q: %v", set, w, set.Has(w))
			}
		}
		if len(set) != len(slices.Compact(slices.Sorted(slices.Values(words)))) {
			t.Fatalf("%v of %v", set, words)
		}
	})
}

func TestAnyOfTheListedScopesIsEnough(t *testing.T) {
	t.Parallel()
	set := scope.Set{scope.Record}
	for _, c := range []struct {
		names []string
		want  bool
	}{
		{nil, true}, {[]string{scope.Record}, true}, {[]string{scope.Meeting, scope.Record}, true}, {[]string{scope.RecordRead}, false}, {[]string{""}, false},
	} {
		if set.HasAny(c.names...) != c.want {
			t.Errorf("any of %v: %v", c.names, !c.want)
		}
	}
	if scope.Set(nil).HasAny("") || !scope.Set(nil).HasAny() {
		t.Error("the empty set has something, or not nothing")
	}
}
