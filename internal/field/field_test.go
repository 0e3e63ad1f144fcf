package field_test

import (
	"errors"
	"fmt"
	"testing"

	"huilu/internal/field"
)

func TestABrokenRuleNamesItsFieldThroughEveryWrapping(t *testing.T) {
	t.Parallel()
	rule := errors.New("password rule")
	for _, c := range []struct {
		err    error
		reason error
	}{
		{field.Invalid("meeting_settings.password", "must have %d digits", 4), nil},
		{field.Because(rule, "meeting_settings.password", "must have %d digits", 4), rule},
	} {
		var got *field.Error
		err := fmt.Errorf("reserve: %w", c.err)
		if !errors.As(err, &got) || got.Name != "meeting_settings.password" || got.Rule != "must have 4 digits" || c.err.Error() != "meeting_settings.password: must have 4 digits" {
			t.Errorf("got %+v, %v", got, c.err)
		}
		if errors.Is(err, rule) != (c.reason != nil) {
			t.Errorf("%v: is the password rule: %v", err, errors.Is(err, rule))
		}
	}
}
