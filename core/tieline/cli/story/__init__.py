"""The story that `tieline up` tells: what a practice does with Tieline, through the same doors as everybody.

telling ── the order, and what of it was seen
├─ beginning    the first chapters: connected, by one consent for all or by one each, and synced
│  ├─ connecting   organisations matched with clients, connected in one call
│  ├─ syncing      syncs, followed until they rest; `live` hears of them, `bars` shows them
│  └─ comparing    our copy beside the provider's books, by `sums`
├─ mending      the later ones: lost, mended, taken over
│  ├─ losing       one is disconnected; a consent is taken back at the provider, found by looking
│  └─ moving       reconnectAll and reassign
├─ board        all of it as the practice's admin reads it; `showing` puts it on a terminal
└─ promises     what was to be seen, and was not
scene       what it is told with
signing_in  startSignIn, the browser at the provider and back, completeSignIn, continueSignIn
api         GraphQL over HTTP with somebody's key
provider    the sandbox: its control API, and a person with a browser; `played` has each provider's words
stage       people with logins there, organisations with books
cast        who is who
told        whether the story was told of this data
going_on    addresses, the key, what to paste
"""
