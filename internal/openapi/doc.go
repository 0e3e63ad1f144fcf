// Package openapi is /open-apis: what programs call, in the words of the contract.
//
//	routes.go     one table: path, scopes, token kinds, limit, fields, handler
//	gateway.go    the steps every call goes through before its handler, in the contract's order (gateway.md §4)
//	book.go       one table: rule that refused -> code, HTTP status, sentence
//	reply.go      the envelope, written in one place
//	auth, oauth, authorize, userinfo, reserve, meeting, recording, minute, download: one file per resource
//
// A handler translates: path and body into the domain's types, the domain's answer into the wire's. It
// decides nothing and repeats nothing of what its row in the table says. An error that is not in the book is "internal
// error" outside, with a log id, and whole in the log under that id. The table also tells what a body may
// contain; whoever wants to describe the API reads it with Routes.
package openapi
