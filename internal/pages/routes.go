package pages

// audience is who may call a route.
type audience int

// Anyone needs no account, a person is signed in, an admin is a person who manages their tenant.
const (
	anyone audience = iota
	person
	admin
)

// route is one call of the pages. What serve returns is written as JSON, nil as 204, a content as a file;
// its error goes through the book.
type route struct {
	method, path string
	who          audience
	serve        func(*Pages, *request) (any, error)
}

var routes = []route{
	{"GET", "/api/me", person, (*Pages).getMe},
	{"POST", "/api/login", anyone, (*Pages).login},
	{"POST", "/api/logout", anyone, (*Pages).logout},
	{"GET", "/api/status", anyone, (*Pages).status},

	{"GET", "/api/meetings", person, (*Pages).listMeetings},
	{"POST", "/api/reserves", person, (*Pages).reserve},
	{"GET", "/api/join/{meeting_no}", anyone, (*Pages).readDoor},
	{"POST", "/api/join/{meeting_no}", anyone, (*Pages).enter},
	{"POST", "/api/meetings/{meeting_id}/recording", person, (*Pages).record},
	{"POST", "/api/meetings/{meeting_id}/end", person, (*Pages).end},
	{"POST", "/api/meetings/{meeting_id}/kick", person, (*Pages).kick},
	{"POST", "/api/meetings/{meeting_id}/mute", person, (*Pages).mute},
	{"POST", "/api/meetings/{meeting_id}/host", person, (*Pages).giveHost},

	{"GET", "/api/minutes/{minute_token}", person, (*Pages).getMinute},
	{"GET", "/api/minutes/{minute_token}/media", person, (*Pages).getMedia},
	{"GET", "/api/minutes/{minute_token}/poster", person, (*Pages).getPoster},

	{"GET", "/api/oauth/authorize", person, (*Pages).askConsent},
	{"POST", "/api/oauth/authorize", person, (*Pages).consent},

	{"GET", "/api/scopes", person, (*Pages).listScopes},
	{"GET", "/api/event-types", person, (*Pages).listEventTypes},

	{"GET", "/api/apps", admin, (*Pages).listApps},
	{"POST", "/api/apps", admin, (*Pages).createApp},
	{"GET", "/api/apps/{app_id}", admin, (*Pages).getApp},
	{"PATCH", "/api/apps/{app_id}", admin, (*Pages).changeApp},
	{"POST", "/api/apps/{app_id}/secret", admin, (*Pages).rotateSecret},
	{"GET", "/api/apps/{app_id}/deliveries", admin, (*Pages).listDeliveries},

	{"GET", "/api/users", admin, (*Pages).listUsers},
	{"POST", "/api/users", admin, (*Pages).createUser},
	{"PATCH", "/api/users/{user_id}", admin, (*Pages).changeUser},
}
