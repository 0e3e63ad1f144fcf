package openapi

import (
	"net/url"
	"strings"
)

// Links makes the addresses that answers carry. Base is the public address of
// the server without a slash at its end, such as https://meet.example.org.
type Links struct{ Base string }

// Meeting is where people join: /j/<meeting number>.
func (l Links) Meeting(no string) string { return l.Base + "/j/" + no }

// App is Meeting with the placeholders that programs fill in before they hand
// the link to a client (contract vc.md §3, app_link). The page ignores what it does not know.
func (l Links) App(no string) string {
	return l.Meeting(no) + "?id={?}&preview={?}&mic={?}&speaker={?}&camera={?}"
}

// Minute is the page of a minute; the token is the last part of its path.
func (l Links) Minute(token string) string { return l.Base + "/minutes/" + token }

// Download is the address of a minute's file; signature is minute.Service.Link.
func (l Links) Download(token, signature string) string {
	return l.Base + "/download/minutes/" + token + "?sig=" + url.QueryEscape(signature)
}

// Cover is the address of a minute's picture, signed like Download.
func (l Links) Cover(token, signature string) string {
	return l.Base + "/download/minutes/" + token + "/cover?sig=" + url.QueryEscape(signature)
}

// scopes is the console page on which an app gets the scopes it lacks.
func (l Links) scopes(app string, names []string, tokenType string) string {
	return l.Base + "/app/" + url.PathEscape(app) + "/auth?q=" + strings.Join(names, ",") + "&op_from=openapi&token_type=" + tokenType
}

// search is the page that explains a failed call.
func (l Links) search(logID, code, method string) string {
	return l.Base + "/search?from=openapi&log_id=" + logID + "&code=" + code + "&method_id=" + method
}
