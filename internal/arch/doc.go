// Package arch holds the whole tree against the rules that no compiler knows. It is tests only.
//
//	layers_test.go    who may import what, and why: the direction of dependencies is a test, not a wish
//	size_test.go      how long files and functions may be, and the sentence of each that is longer
//	words_test.go     every package says what it is about
//	docs_test.go      links and paths in documents lead somewhere; docs/settings.md is what config says
//	secrets_test.go   secrets are not compared with ==
//
// A rule that stands in the way is changed here, with its reason, not worked around.
package arch
