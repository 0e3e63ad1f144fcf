// Package field names the input field that broke a rule.
//
// A domain package that is given a value out of its range answers with Invalid; the surface that
// carried the value turns it into its own form: 121003 or 99992402 with field_violations on
// /open-apis, a sentence beside the input on a page, one line on the command line. Field names are
// the wire's names, with a dot for nesting ("meeting_settings.password").
package field

import "fmt"

// Error is a value that broke a rule. Reason, when set, is the sentinel of a rule
// with an answer of its own (a bad password is 123006, not 121003), for errors.Is.
type Error struct {
	Name   string // wire name of the field
	Rule   string // what would be right, in English, without the value itself
	Reason error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s", e.Name, e.Rule)
}

func (e *Error) Unwrap() error { return e.Reason }

// Invalid returns an Error for a field with a general parameter error.
func Invalid(name, format string, args ...any) error {
	return &Error{Name: name, Rule: fmt.Sprintf(format, args...)}
}

// Because is Invalid with the sentinel of the rule that was broken.
func Because(reason error, name, format string, args ...any) error {
	return &Error{Name: name, Rule: fmt.Sprintf(format, args...), Reason: reason}
}
