package openapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"huilu/internal/field"
	"huilu/internal/limit"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// errorInfo is the error object of the envelope (contract gateway.md §2).
type errorInfo struct {
	Message              string      `json:"message,omitempty"`
	LogID                string      `json:"log_id"`
	Troubleshooter       string      `json:"troubleshooter,omitempty"`
	FieldViolations      violations  `json:"field_violations,omitempty"`
	PermissionViolations []missing   `json:"permission_violations,omitempty"`
	Helps                []helpEntry `json:"helps,omitempty"`
}

// missing is one entry of permission_violations.
type missing struct {
	Type    string `json:"type"`
	Subject string `json:"subject"`
}

type helpEntry struct {
	URL         string `json:"url"`
	Description string `json:"description"`
}

// The types of permission_violations.
const (
	appScope   = "action_scope_required"     // the app lacks the scope
	userScope  = "action_privilege_required" // the person did not grant it
	fieldScope = "field_scope_required"      // the app may not see the field
)

// scopeError refuses for want of a scope.
type scopeError struct {
	kind   string // type of permission_violations
	scopes []string
}

func (e *scopeError) Error() string {
	return fmt.Sprintf("one of %s is needed (%s)", strings.Join(e.scopes, ", "), e.kind)
}

// limitError refuses because a window is full.
type limitError struct{ limit.Verdict }

func (e *limitError) Error() string { return fmt.Sprintf("more than %d calls in a window", e.Limit) }

// idError refuses a person id that somebody presented.
type idError struct {
	kind tenant.IDType
	id   string
	err  error // of package tenant
}

func (e *idError) Error() string { return fmt.Sprintf("%s %q: %v", e.kind, e.id, e.err) }
func (e *idError) Unwrap() error { return e.err }

// refusal is a call that was not served, ready to be written.
type refusal struct {
	answer
	info     errorInfo
	window   *limit.Verdict // set for 99991400, which has no error object
	internal bool           // not in the book: the log has the cause
}

// refuse says how err is told to the caller of c.
func (a *API) refuse(err error, c *call) refusal {
	r := a.explain(err, c)
	r.status = c.route.Family.status(r)
	r.info.LogID = c.logID
	r.info.Troubleshooter = "排查建议查看(Troubleshooting suggestions): " + a.links.search(c.logID, strconv.Itoa(r.code), c.route.number)
	return r
}

func (a *API) explain(err error, c *call) refusal {
	if s, ok := errors.AsType[*scopeError](err); ok {
		return a.explainScope(s, c)
	}
	if l, ok := errors.AsType[*limitError](err); ok {
		return refusal{answer: limited, window: &l.Verdict}
	}
	if v, ok := errors.AsType[violations](err); ok {
		return explainFields(v, c)
	}
	if id, ok := errors.AsType[*idError](err); ok {
		return explainID(id)
	}
	if c.route.Family == Authen && (errors.Is(err, token.ErrUserInvalid) || errors.Is(err, token.ErrUserExpired)) {
		return refusal{answer: legacyUser}
	}
	if c.route.Family == Auth && (errors.Is(err, errBody) || errors.Is(err, errBodySize)) {
		return refusal{answer: badParam[Auth], info: errorInfo{Message: "the body must be one JSON object of at most 1048576 bytes"}}
	}
	broken, isField := errors.AsType[*field.Error](err)
	for _, e := range book {
		if !errors.Is(err, e.rule) {
			continue
		}
		r := refusal{answer: e.answer}
		if isField {
			r.name(broken)
		} else {
			r.info.Message = e.rule.Error()
		}
		return r
	}
	if isField {
		r := refusal{answer: badParam[c.route.Family]}
		r.name(broken)
		return r
	}
	r := refusal{answer: internal[c.route.Family], internal: true}
	if errors.Is(err, context.DeadlineExceeded) {
		r.status = http.StatusGatewayTimeout // SDKs have a name for it: ServerTimeoutError
	}
	return r
}

// name says in the answer which field broke which rule.
func (r *refusal) name(e *field.Error) {
	r.msg += ": " + e.Name + " " + e.Rule
	r.info.FieldViolations = violations{{e.Name, e.Rule}}
}

func explainFields(v violations, c *call) refusal {
	r := refusal{answer: invalidFields, info: errorInfo{FieldViolations: v}}
	if c.route.Family == Auth {
		r.answer = badParam[Auth]
		r.msg += ": " + v[0].Description
	}
	return r
}

func explainID(e *idError) refusal {
	if errors.Is(e, tenant.ErrIDCrossApp) {
		return refusal{answer: crossApp, info: errorInfo{Message: tenant.ErrIDCrossApp.Error()}}
	}
	r := refusal{answer: unknownIDs[e.kind]}
	r.msg += "[" + e.id + "]"
	return r
}

func (a *API) explainScope(e *scopeError, c *call) refusal {
	r := refusal{answer: appLacksScope}
	if e.kind == userScope {
		r.answer = userLacksScope
	}
	list := "[" + strings.Join(e.scopes, ", ") + "]"
	r.msg += list
	for _, s := range e.scopes {
		r.info.PermissionViolations = append(r.info.PermissionViolations, missing{e.kind, s})
	}
	if e.kind != userScope {
		kind := "tenant"
		if c.caller.Kind == token.User {
			kind = "user"
		}
		r.info.Helps = []helpEntry{{a.links.scopes(c.caller.App.ID, e.scopes, kind), "Learn more about scopes and how to add them: " + list}}
	}
	return r
}

// status is the HTTP status a family sends r with. The legacy endpoints answer
// refusals with 200 (gateway.md §2), except for what is not theirs to decide.
func (f Family) status(r refusal) int {
	switch {
	case r.code == limited.code, r.code == 99991301, f != Auth && r.status >= 500:
		return r.status
	case f == Auth, f == Authen:
		return http.StatusOK
	}
	return r.status
}
