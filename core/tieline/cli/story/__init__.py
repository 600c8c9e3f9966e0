"""The story that `tieline up` tells: what a practice does with Tieline, through the same doors as everybody.

telling ── the chapters in their order, and what of them was seen
├─ stage        the scene at the provider: people with logins there, organisations with books
├─ signing_in   startSignIn, the browser at the provider and back, completeSignIn
├─ connecting   organisations matched with clients, connected in one call
├─ syncing      the first syncs, followed until they rest; `live` hears of them, `bars` shows them, `sums` compares
├─ losing       a consent that is taken back at the provider, found by looking
├─ board        all of it as the practice's admin sees it
└─ promises     what was to be seen, and was not
api       GraphQL over HTTP with the demo's key
provider  the sandbox: its control API, and a person with a browser
cast      who is who
told      whether the story was told of this data
going_on  addresses, the key, what to paste
"""
