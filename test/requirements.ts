/** One promised behaviour. Tests cite its id in their names, in square brackets. */
export interface Requirement {
  /** Area and number. Ids are never reused. */
  readonly id: string;
  /** The page and section of the promise: protocol, settings or durability (`I` numbers are its invariants). */
  readonly section: string;
  readonly sentence: string;
}

const requirement = (id: string, section: string, sentence: string): Requirement => ({ id, section, sentence });

/**
 * The promises of this version, in testable sentences. `requirements.spec.ts` fails when no test
 * cites a promise, and when a test cites an unknown one.
 *
 * T transport and handshake, E envelope, M messages, S streams and replay, C queue and cancelling, G sessions and
 * groups, A the built-in agent, D durability, L lifecycle, health, metrics and traces, P settings, K the TypeScript client, X security, W web chat, O tools and
 * approvals, R models, B sandbox, Q MCP, N bounds and time, Z agents,
 * V channels, F device nodes, J cron, H Tailscale, U browser,
 * Y canvas, I identity and, from 50 on, audit, logs and backup,
 * AD administration, TN tenants, CO the console.
 */
export const requirements: readonly Requirement[] = [
  // The console
  requirement(
    'CO-01',
    'administration, console',
    'The console is for operators, signed in by token, link or identity provider; a lost access leaves the page as it is.',
  ),
  requirement(
    'CO-02',
    'administration, console',
    'The overview begins with what is wrong, worst first, each with one button.',
  ),
  requirement(
    'CO-03',
    'administration, console',
    'Everything works by keys and on a phone, each thing has a link, and one switch changes every time.',
  ),
  requirement('CO-04', 'administration, console', 'Each address of the console works also below the path of a proxy.'),
  requirement('CO-05', 'administration, console', 'What another tenant has is not here.'),
  requirement(
    'CO-06',
    'administration, console',
    'Filters stand in the address; a list that fails is not an empty one.',
  ),
  requirement(
    'CO-07',
    'administration, console',
    'A conversation is shown as the person saw it, with where the time went.',
  ),
  requirement(
    'CO-08',
    'administration, console',
    'What can be undone has an undo, what cannot asks first and names what is lost, and the audit names who did it.',
  ),
  requirement(
    'CO-09',
    'administration, console',
    'Who may only read can read and copy everything, and change nothing.',
  ),
  requirement(
    'CO-10',
    'administration, console',
    'What people and agents write runs nothing and loads nothing; only answers are drawn, as in the chat.',
  ),
  requirement(
    'CO-11',
    'administration, console',
    'Live rows change in place; new ones are counted and come at a press; following can be paused.',
  ),
  requirement('CO-12', 'administration, console', 'Of a long list only the rows in sight are drawn.'),
  requirement('CO-13', 'administration, console', 'All tabs of a browser share one stream of events.'),
  requirement(
    'CO-14',
    'administration, console',
    'While the gateway is away the console shows what it knows, and since when; it comes back by itself.',
  ),
  requirement(
    'CO-15',
    'administration, console',
    'The first load is at most 60 KB, and the whole console 120 KB, by gzip, without what draws Markdown in the chat too.',
  ),
  requirement('CO-21', 'administration, console', 'Each page opens from its link, and shows its rows.'),
  requirement(
    'CO-22',
    'administration, console',
    'A decision is on the call and the arguments that were drawn; a call that has ended takes none.',
  ),
  requirement(
    'CO-23',
    'administration, console',
    'Saving settings sends the changed keys alone, never a mask, and keeps the changes when another person has saved first.',
  ),
  requirement(
    'CO-24',
    'administration, console',
    'An action on several things takes those that were selected, and none that came later.',
  ),
  requirement(
    'CO-25',
    'administration, console',
    'The tail of the logs pauses when it is scrolled, says so, and counts the lines that come.',
  ),
  requirement('CO-26', 'administration, console', 'The secret of a token and the code of a device are shown once.'),

  // Tenants
  requirement(
    'TN-01',
    'administration',
    'An operator of tenant `*` sees what all tenants have, or what the one has that `?tenant=` names.',
  ),
  requirement(
    'TN-02',
    'administration',
    'An operator of tenant `*` acts in the tenant of what it changes, and makes things in `default` or in `?tenant=`.',
  ),
  requirement(
    'TN-03',
    'administration',
    'On a WebSocket a credential of tenant `*` speaks in `default`, or in the tenant of `?tenant=`.',
  ),
  requirement(
    'TN-05',
    'administration',
    'What models have used is counted once for each answer, whatever becomes of its turn, by tenant, sender, agent and model.',
  ),
  requirement(
    'TN-06',
    'settings 1',
    'A tenant has at most as many messages in the queue as its quota; repeats are taken.',
  ),
  requirement('TN-07', 'settings 1', 'A tenant runs at most as many turns at once as its quota; others run meanwhile.'),
  requirement(
    'TN-08',
    'settings 1',
    'A tenant sends at most as many messages a day as its quota; more are QUOTA_EXCEEDED with `resets_at`, and repeats are taken.',
  ),
  requirement(
    'TN-09',
    'settings 1',
    'A day of tokens or money is passed by at most one answer of each turn that runs; it is warned of and reported once.',
  ),
  requirement('TN-10', 'administration', 'Usage is shown by tenant, sender, agent and model, of the own tenant alone.'),
  requirement('TN-11', 'administration', 'Limits and quotas are listed and changed by operators of all tenants.'),
  requirement(
    'TN-12',
    'administration',
    'What belongs to another tenant gets the same response as what does not exist, in every operation of the HTTP API and for every frame.',
  ),
  requirement(
    'TN-13',
    'administration',
    'The first setting that names another tenant needs a credential of tenant `*`, so that at least one credential can operate all.',
  ),
  requirement('TN-14', 'settings 1', 'A gateway without quotas asks the store for nothing more.'),
  requirement(
    'TN-15',
    'administration',
    'Numbers of sessions and messages that a credential of a tenant is shown are those of its tenant.',
  ),
  requirement(
    'TN-16',
    'settings 1',
    'Tenants have names of one form wherever one is given; others are refused with a pointer.',
  ),
  requirement('TN-04', 'administration', 'What another tenant has does not exist, whatever the caller names.'),
  // Security
  requirement(
    'SE-01',
    'security',
    'Loopback is not trust: any forwarding header makes a request remote, and open mode gives a chat alone.',
  ),
  requirement(
    'SE-02',
    'security',
    'Origin and Host are compared with configured lists, never with each other, whatever they look like.',
  ),
  requirement('SE-03', 'security', 'A page takes neither a token nor a gateway from its address.'),
  requirement(
    'SE-04',
    'security',
    'No token is accepted in a query, or repeated in a response, a log, a metric or an error.',
  ),
  requirement(
    'SE-05',
    'security',
    'One limiter counts the failures of all kinds of credentials for each address; a valid credential passes.',
  ),
  requirement(
    'SE-06',
    'security',
    'A delivery of a platform counts by its signature or secret alone, in its time, and once.',
  ),
  requirement(
    'SE-07',
    'security',
    'What tools fetch is never on this machine or its networks, however it is written and wherever it leads.',
  ),
  requirement('SE-08', 'security', 'An approval is for the exact arguments, by who may decide, once.'),
  requirement(
    'SE-09',
    'security',
    'A schema from outside is bounded, refers to nothing outside itself and costs no time.',
  ),
  requirement('SE-10', 'security', 'What another tenant has answers as if it did not exist.'),
  requirement(
    'SE-11',
    'security',
    'A credential counts by its digest or signature, algorithm, issuer, audience and time, and what it has opened ends with it.',
  ),
  requirement('SE-12', 'security', 'A text from outside forges no line of a log and no metric.'),
  requirement('SE-13', 'security', 'Pages run their own files alone, and files of people are never active.'),
  requirement('SE-14', 'security', 'The audit trail has each change, verifies, and is changed by no one.'),
  requirement('SE-15', 'security', 'A violation of HTTP or RFC 6455 is refused with its status or close code.'),
  requirement('SE-16', 'security', 'Bombs, floods and slow peers are bounded, and others are served beside them.'),
  requirement('SE-17', 'security', 'Junk in an envelope is a typed error that changes nothing.'),
  requirement('SE-18', 'security', 'A client does what its role, scopes, channels and sender cover, and nothing else.'),
  requirement(
    'SE-19',
    'security',
    'A tool is called by its exact name with checked parameters, and its faults end its own call alone.',
  ),
  requirement(
    'SE-20',
    'security',
    'Settings that are unknown, wrong, stale or dangerous are refused, and secrets are never given back.',
  ),
  requirement(
    'SE-21',
    'security',
    'Every operation of the administration needs its right, and no other page reaches one.',
  ),
  requirement(
    'SE-22',
    'security',
    'While the store takes no commits, writing fails as worth a retry and reading goes on.',
  ),
  requirement('SE-23', 'security', 'No path leaves the files that are served.'),
  requirement(
    'SE-24',
    'security',
    'A stream of events stays within its tenant, its buffer and the life of its credential.',
  ),
  requirement(
    'SE-25',
    'security',
    'A sign-in counts for the browser that began it, once, and only the provider ends it from elsewhere.',
  ),
  // Administration
  requirement(
    'AD-01',
    'administration',
    'Waiting messages are listed oldest first in pages, with their positions and the counts of the tenant.',
  ),
  requirement(
    'AD-02',
    'administration',
    'A cursor of another list, of other filters or of another tenant, and one that was changed, is HTTP 400.',
  ),
  requirement(
    'AD-03',
    'administration',
    'The life of a message says how long it waited, what its runs did, how it ended and what was delivered.',
  ),
  requirement(
    'AD-04',
    'administration',
    'A message that waits or runs is cancelled by its ref, with a row in the audit trail.',
  ),
  requirement(
    'AD-05',
    'administration',
    'A failed message is sent again as a message of its own that supersedes it; a repeat gives no second one.',
  ),
  requirement('AD-06', 'administration', 'Running turns are listed with what they do, and each can be ended.'),
  requirement('AD-07', 'administration', 'Connections are listed, and closed with 4001 and a row in the audit trail.'),
  requirement(
    'AD-08',
    'administration',
    'The status has what is wrong now and the counts of each of the last 60 minutes.',
  ),
  requirement('AD-09', 'administration', 'An operator of a tenant sees neither the process nor what other tenants do.'),
  requirement('AD-10', 'administration', 'Each call of the administration needs role operator and its scope.'),
  requirement(
    'AD-11',
    'administration',
    'Sessions are listed by creation or by their newest message, filtered, in pages that list each once.',
  ),
  requirement('AD-12', 'administration', 'The pages by the newest message are those of the time of the first page.'),
  requirement('AD-13', 'administration', 'The messages, the log and the context of a session are read in pages.'),
  requirement('AD-14', 'administration', 'An operator sends a message to a session, once for each ID.'),
  requirement(
    'AD-15',
    'administration',
    'An export is complete if its last line has the number and the SHA-256 of the others.',
  ),
  requirement(
    'AD-16',
    'administration',
    'A deleted session leaves nothing, and one with the same key continues its log.',
  ),
  requirement('AD-17', 'administration', 'People are listed once for each channel.'),
  requirement(
    'AD-18',
    'administration',
    'What a person has left is exported and erased; erased frames keep type and seq.',
  ),
  requirement('AD-19', 'administration', 'Presence is listed for the tenant.'),
  requirement(
    'AD-20',
    'administration',
    'No list of sessions or people scans a table, and a page visits a bounded number of rows for a bounded time.',
  ),
  requirement(
    'AD-21',
    'administration',
    'Events of a tenant are streamed as they happen, with the fields of the rows of its lists.',
  ),
  requirement(
    'AD-22',
    'administration',
    'A stream continues after Last-Event-ID; of an unknown one, and of one that is too old, it begins with a reset.',
  ),
  requirement(
    'AD-23',
    'administration',
    'A stream of events passes proxies at once, holds at most 1 MiB for a reader, and gives IDs to events only.',
  ),
  requirement('AD-24', 'administration', 'A stream of events ends with its credential and with the gateway.'),
  requirement(
    'AD-25',
    'administration',
    'Whatever a request has in its path, query or body, it is never HTTP 5xx, and its faults are named by JSON pointers.',
  ),
  requirement(
    'AD-26',
    'administration',
    'A call is refused without a credential, with another role, and with too little right, before it does anything.',
  ),
  requirement(
    'AD-27',
    'administration',
    'The changes of settings are listed without secrets, and a revert brings back the values of a version with theirs.',
  ),
  requirement(
    'AD-28',
    'administration',
    'The text that is shown in place of a secret is refused as a secret, wherever it stands in a setting.',
  ),
  requirement(
    'AD-29',
    'administration',
    'Approvals are listed by state and decided on for exactly the arguments that were shown.',
  ),
  requirement('AD-30', 'administration', 'A tool is disabled, and set to need approvals, by its name.'),
  requirement('AD-40', 'administration', 'A program calls a tool with the permissions and checks of a call in a turn.'),
  requirement(
    'AD-41',
    'administration',
    'A call of a program waits for its approval, ends with its request, and does nothing without the decision.',
  ),
  requirement(
    'AD-43',
    'administration',
    'The OpenAPI document is valid 3.1, its examples fit, its operations keep their IDs, and a generated client compiles.',
  ),
  requirement('AD-42', 'administration', 'A replica is stopped in order by a call, with a row in the audit trail.'),

  // Transport and handshake
  requirement('T-01', 'protocol 1', 'The WebSocket endpoint is `/`; an upgrade of any other path is HTTP 404.'),
  requirement('T-02', 'protocol 1', 'An upgrade with a method other than GET is HTTP 405.'),
  requirement('T-03', 'protocol 1', 'A WebSocket version other than 13 is HTTP 426, and the response names 13.'),
  requirement('T-04', 'protocol 1', 'A missing, malformed or repeated Sec-WebSocket-Key is HTTP 400.'),
  requirement('T-05', 'protocol 1', 'A request has exactly one Host header; none or two are HTTP 400.'),
  requirement('T-06', 'protocol 1', 'Content-Length and Transfer-Encoding together are HTTP 400.'),
  requirement('T-07', 'protocol 1', 'A request head over 16 KiB is HTTP 431.'),
  requirement(
    'T-08',
    'protocol 1',
    'An offer to upgrade to another protocol is declined by answering the request as plain HTTP.',
  ),
  requirement(
    'T-09',
    'protocol 1',
    'A client may name itself with 1 to 64 characters of `A-Za-z0-9._-`; otherwise the gateway generates a name.',
  ),
  requirement('T-10', 'protocol 1', 'An unknown query parameter is refused with the names of the known ones.'),
  requirement('T-11', 'protocol 1', 'The gateway selects and echoes only the subprotocol `openclaw.v1`.'),
  requirement('T-12', 'protocol 1', 'permessage-deflate is off.'),
  requirement('T-13', 'protocol 10', 'A new upgrade during a drain is HTTP 503.'),
  requirement(
    'T-14',
    'protocol 1',
    'A request head that is not complete within 10 s, and a body that makes less than 16 KiB/s over 10 s, is closed.',
  ),
  requirement('T-15', 'protocol 1', 'A frame that is not complete within 30 s closes its connection.'),
  requirement('T-16', 'protocol 1', 'A peer that answers neither of two pings in a row is terminated with 4009.'),
  requirement('T-17', 'protocol 1', 'More than 20 pings a second close the connection with 4008.'),
  requirement('T-18', 'protocol 1', 'A connection over the limit of its address is HTTP 429, plain HTTP included.'),
  requirement('T-19', 'protocol 6', 'A hundred RATE_LIMITED answers within 10 s close the connection with 4008.'),
  requirement('T-20', 'protocol 1', 'A binary frame closes the connection with 1003.'),
  requirement('T-21', 'protocol 1', 'Invalid UTF-8 closes the connection with 1007.'),
  requirement(
    'T-22',
    'protocol 1',
    'A message of more than max_frame_bytes, whole or in fragments, closes the connection with 1009.',
  ),
  requirement('T-23', 'protocol 7', 'A violation of RFC 6455 closes the connection with 1002.'),
  requirement(
    'T-24',
    'protocol 7',
    "A peer's close is answered with its own code, and the frames before it are still handled.",
  ),
  requirement('T-25', 'protocol 7', 'A peer that does not answer a close is cut off.'),
  requirement('T-26', 'protocol 1', 'Nothing remains of a peer that vanishes.'),
  requirement(
    'T-30',
    'protocol 3',
    'The frames of one connection are handled in the order sent, independently of other connections.',
  ),
  requirement(
    'T-31',
    'protocol 1',
    '`connected` is the first frame of a connection, and nothing is handled before it.',
  ),
  requirement('T-32', 'protocol 1', 'Frames that arrived before the end of a connection are handled before its end.'),
  requirement('T-33', 'protocol 6', 'A frame type without a handler is UNKNOWN_TYPE, with a hint if there is one.'),
  requirement('T-34', 'protocol 3', 'A frame needs the scope of its type; FORBIDDEN names the missing one.'),
  requirement('T-35', 'protocol 6', 'INVALID_PAYLOAD lists each fault with a JSON pointer.'),
  requirement(
    'T-36',
    'protocol 2',
    'Frame types of an extension, `vendor.name`, are checked by its registered schema.',
  ),
  requirement(
    'T-37',
    'protocol 6',
    'An unexpected failure is INTERNAL with an error id; its cause is in the log and nowhere else.',
  ),
  requirement(
    'T-38',
    'protocol 2',
    'A frame that is not an envelope is INVALID_FRAME, under its id where that can be read.',
  ),
  requirement('T-39', 'protocol 6', 'Ten INVALID_FRAME in a row close the connection with 4002.'),
  requirement('T-40', 'protocol 7', 'No frame that is sent after the gateway has closed a connection is handled.'),
  requirement(
    'T-41',
    'protocol 1',
    'There is one live connection for each (principal, client_id): a newer one replaces the older, which is closed with 4010.',
  ),
  requirement(
    'T-42',
    'protocol 5',
    'The gateway stops reading from a client that sends without reading, until it reads.',
  ),
  requirement('T-43', 'protocol 5', 'A peer that reads nothing for 60 s is closed with 4013.'),
  requirement('T-44', 'protocol 5', 'The gateway writes to a reader again once it has read half of its buffer.'),
  requirement('T-45', 'protocol 1', 'Everything sent to a connection in one tick leaves in one write.'),
  requirement('T-46', 'protocol 10', 'At the end of a drain sockets close with 1012.'),
  requirement('T-47', 'protocol 1', 'WebSocket and HTTP share one port.'),
  requirement(
    'T-48',
    'protocol 2',
    'Two handlers of one frame type, or a malformed type, stop the start and are named.',
  ),
  requirement('T-49', 'protocol 1', 'An application-level `ping` is answered by `pong`.'),
  requirement(
    'T-50',
    'protocol 1',
    '`connected` contains the identity, the scopes, the limits, and for a user the main session to continue.',
  ),
  requirement(
    'T-51',
    'protocol 5',
    'A client inside the process gets the same frames over a connection in memory as over a socket.',
  ),
  requirement('T-52', 'protocol 1', 'Another wire on its own path is served next to this one, by the same rules.'),

  // Envelope
  requirement(
    'E-01',
    'protocol 2',
    'An envelope has type, id, timestamp and payload of their types; anything else is INVALID_FRAME.',
  ),
  requirement('E-02', 'protocol 2', 'An id has 1 to 128 characters without control characters.'),
  requirement(
    'E-03',
    'protocol 2',
    'An unknown field of the envelope is INVALID_FRAME, one of a payload INVALID_PAYLOAD; only metadata is free.',
  ),
  requirement(
    'E-04',
    'protocol 2',
    'JSON deeper than 32 or with more than 10,000 values is INVALID_FRAME before it is parsed.',
  ),
  requirement(
    'E-05',
    'protocol 2',
    'The keys `__proto__`, `constructor` and `prototype` are INVALID_FRAME anywhere, however they are spelt.',
  ),
  requirement('E-06', 'protocol 3', 'Lengths count Unicode code points, both ends included.'),
  requirement(
    'E-07',
    'protocol 3',
    'Control characters in names, and NUL or lone surrogates anywhere, are INVALID_PAYLOAD.',
  ),
  requirement(
    'E-08',
    'protocol 2',
    'A response carries the id of its request as correlation_id, and every frame about a session its session_id.',
  ),

  // Messages
  requirement('M-01', 'protocol 3', 'A message_in is acknowledged under its id and with its session, then answered.'),
  requirement('M-02', 'protocol 5.1', 'message_ack is sent only after the store has committed the message.'),
  requirement('M-03', 'protocol 3', 'A text is empty only when there are attachments.'),
  requirement(
    'M-04',
    'protocol 5.2',
    'A repeated message is a duplicate with the same message_ref, and starts no second turn.',
  ),
  requirement('M-05', 'protocol 5.2', 'The same id with another body is IDEMPOTENCY_CONFLICT, and nothing is stored.'),
  requirement(
    'M-06',
    'protocol 5.2',
    'The body is the payload, whatever the order of its keys, without flags that are ignored, and the session if it is named by its id; the timestamp and the session that the payload determines by now are not part of it.',
  ),
  requirement(
    'M-07',
    'protocol 1',
    'The same id from two clients, or from one client_id under two principals, is two messages.',
  ),
  requirement(
    'M-08',
    'protocol 6',
    'A frame that is refused is neither acknowledged nor stored, and its connection stays open.',
  ),
  requirement('M-09', 'protocol 3', 'A message without the scope for it is FORBIDDEN.'),
  requirement(
    'M-10',
    'protocol 4',
    'The blocks of a message have a dense index, and its end says how many are standing.',
  ),
  requirement(
    'M-11',
    'protocol 6',
    'Messages over the limit of their client, for role channel of their sender, are RATE_LIMITED with a retry delay.',
  ),
  requirement('M-12', 'protocol 5.4', 'A turn that fails or takes too long ends with its error, not with silence.'),
  requirement(
    'M-13',
    'protocol 3',
    'presence, reaction and channel_status are applied in the order sent, and answered only if they are wrong.',
  ),
  requirement('M-14', 'protocol 5.2', 'A repeat subscribes its sender again, and missed frames are read with resume.'),
  requirement(
    'M-15',
    'protocol 2',
    'The responses to the messages of one connection come in the order of the messages.',
  ),
  requirement(
    'M-20',
    'protocol 3',
    'supersedes names an ended message of the same sender in the same session; it, and in a main session all after it, leave the context and are marked in the history.',
  ),
  requirement(
    'M-21',
    'protocol 3',
    'supersedes of a message that waits and never ran cancels it in the commit that stores the new one.',
  ),

  // Streams and replay
  requirement('S-01', 'protocol 5.5', 'Durable frames carry a dense seq per session.'),
  requirement(
    'S-02',
    'protocol 5.6',
    'Durable frames go to every live connection that may read the session and has sent to it or resumed it.',
  ),
  requirement('S-03', 'protocol 4', 'Deltas go only to connections that requested them; a block is its deltas joined.'),
  requirement(
    'S-04',
    'protocol 5.5',
    'resume sends exactly the frames after after_seq, in order and without duplicates, then live ones without a gap.',
  ),
  requirement(
    'S-05',
    'protocol 6',
    'A resume beyond the head is STALE_RESUME, and does not stop the resume of other sessions.',
  ),
  requirement('S-06', 'protocol 4', '`resumed` says which frames retention has deleted.'),
  requirement(
    'S-07',
    'protocol 5.8',
    'A stream_restart replaces the blocks of an interrupted attempt; those of recorded steps stay.',
  ),
  requirement(
    'S-08',
    'protocol 5.7',
    'A slow reader does not slow others: beyond 1 MiB it is served from the log at its own pace.',
  ),
  requirement('S-09', 'protocol 5.7', 'A reader of a session that reads nothing for 60 s is closed with 4013.'),
  requirement(
    'S-10',
    'protocol 3',
    'A resume without sessions resumes every session that has undelivered frames for this client.',
  ),
  requirement(
    'S-11',
    'protocol 4',
    'history returns messages page by page, newest last, each with its standing blocks and its end.',
  ),
  requirement(
    'S-12',
    'protocol 3',
    'delivered moves the durable cursor of its client forward, never back and never beyond the head.',
  ),
  requirement(
    'S-13',
    'protocol 6',
    'A resume of a frame of a log that was replaced by an older copy is STALE_RESUME, and no message_ref comes again.',
  ),
  requirement(
    'S-14',
    'protocol 4',
    'What was shown of a block is committed before a cancel, an error or a time limit ends the message.',
  ),
  requirement(
    'S-15',
    'protocol 5.6',
    'A driver whose credential lists its channels gets the frames of all sessions of these channels from its connect on.',
  ),
  requirement(
    'S-16',
    'protocol 5.6',
    'Its resume without sessions gives exactly what it has not confirmed of them since its first connect.',
  ),

  // Queue and cancelling
  requirement(
    'C-01',
    'protocol 5.3',
    'The next message of a session is the one with the highest priority, then the oldest; a running one is never pre-empted.',
  ),
  requirement(
    'C-02',
    'protocol 5.3',
    'One turn at a time runs in a session, and sessions run in parallel up to agent.concurrency.',
  ),
  requirement(
    'C-03',
    'protocol 3',
    'cancel ends a waiting message at once with a stream_end of reason cancelled, and does nothing to a finished one.',
  ),
  requirement('C-04', 'protocol 3', 'cancel ends a running turn soon, with its complete blocks.'),
  requirement(
    'C-05',
    'settings 1',
    'A message over a limit of the queue is QUEUE_FULL with a retry delay, and is not stored.',
  ),
  requirement(
    'C-06',
    'durability 1',
    'While the store is unavailable nothing is lost and nothing acknowledged; the queue continues when it is back.',
  ),
  requirement(
    'C-07',
    'settings 1',
    'queue.busy_policy, or that of the channel, decides what happens to a message that arrives during a turn.',
  ),
  requirement(
    'C-20',
    'settings 1',
    'With steer a message joins the running turn, with collect all waiting messages become one turn: each ends once as merged and is answered, whatever crashes.',
  ),
  requirement('C-08', 'protocol 3', 'cancel names one target; a target that the caller may not see is NOT_FOUND.'),
  requirement('C-09', 'protocol 5.3', 'While a message waits for its retry, its session waits too.'),
  requirement('C-10', 'durability 4', 'Mentions cannot starve others: at most four to one.'),

  // Sessions and groups
  requirement(
    'G-01',
    'protocol 9',
    'A message with a queue goes to a queue session, else one with a group_id to a group session, else to the main session of its sender.',
  ),
  requirement(
    'G-02',
    'protocol 9',
    'A group or a queue is one session for all its senders; a main session belongs to one sender.',
  ),
  requirement('G-03', 'protocol 9', 'The keys of two sessions never collide, whatever their parts contain.'),
  requirement(
    'G-04',
    'protocol 9',
    'A group message that does not address the agent is observed: stored as context, never answered.',
  ),
  requirement(
    'G-05',
    'protocol 9',
    '`@name` in the text addresses the agent, in any case of letters, but not inside a longer name or an address.',
  ),
  requirement(
    'G-06',
    'protocol 9',
    'A group in which the agent was activated gets answers to everything; admins activate it.',
  ),
  requirement('G-07', 'protocol 9', 'A slash command addresses the agent, even in a group.'),
  requirement(
    'G-08',
    'protocol 3',
    'is_direct_mention, is_reply_to_agent and sender_is_admin count from roles channel and operator only.',
  ),
  requirement(
    'G-09',
    'protocol 3',
    'A credential sends only on its own channels, and that of a user only as its own sender.',
  ),
  requirement(
    'G-10',
    'protocol 3',
    'Naming a session does not give access: a session of other participants or of another tenant is NOT_FOUND.',
  ),
  requirement(
    'G-11',
    'protocol 2',
    'A session_id takes precedence over the key of the message and must belong to its channel.',
  ),
  requirement('G-12', 'protocol 9', '/reset starts a new context in the same session; the history stays.'),
  requirement(
    'G-13',
    'protocol 3',
    'Presence ages from typing to online, idle and offline, and a user is active for five minutes after the last activity.',
  ),
  requirement('G-14', 'protocol 4', 'Changes of presence reach the agent and the subscribed operators of the tenant.'),
  requirement('G-15', 'protocol 3', 'A reaction is kept in the context of its session until it is removed.'),

  // The built-in agent
  requirement('G-17', 'protocol 3', 'Where a channel says whether a message is a mention, its text is not searched.'),
  requirement('G-16', 'protocol 3', 'A message with `observe` is kept as context and never answered, a command too.'),
  requirement('A-01', 'settings 2', 'Any other text is answered with that text, and with how to configure a model.'),
  requirement('A-02', 'settings 2', '/help, /status and /tools are answered with a status block.'),
  requirement('A-03', 'settings 2', 'An unknown or misused command is answered with the allowed use.'),
  requirement(
    'A-04',
    'settings 2',
    '/tool calls a tool through the registry: tool_status frames, a tool_call and a tool_result block.',
  ),
  requirement(
    'A-05',
    'protocol 6',
    'A tool call that is unknown, denied, invalid, fails or takes too long is reported as such, and the turn continues.',
  ),
  requirement('A-06', 'settings 2', '/blocks N [MS] streams N text blocks, MS milliseconds apart.'),
  requirement('A-07', 'settings 2', '/wait MS answers after MS milliseconds and counts as a running turn.'),
  requirement(
    'A-08',
    'settings 2',
    '/demo shows a block of each type that needs no tool; /fail ends the turn with AGENT_FAILED.',
  ),
  requirement(
    'A-09',
    'protocol 4',
    'Text becomes typed blocks by its paragraphs and fences, however it is split in transit.',
  ),

  // Durability
  requirement(
    'D-01',
    'durability I1, I7',
    'Every acknowledged message is answered by exactly one stream_end, whatever crashes.',
  ),
  requirement('D-02', 'durability I2', 'No crash starts a second turn of one message.'),
  requirement('D-03', 'durability I6', 'seq stays dense, and frames that a client has seen stay valid across a crash.'),
  requirement('D-04', 'durability 2', 'All of this holds for a crash at any moment, and for many in a row.'),
  requirement('D-05', 'protocol 5.8', 'An interrupted turn is resumed and replaces its half-streamed step.'),
  requirement('D-06', 'protocol 5.8', 'Recorded steps are reused; only missing ones are requested again.'),
  requirement(
    'D-07',
    'protocol 5.9, I9',
    'A tool that is not idempotent is started at most once for a call; when a crash hides its outcome the call ends as unknown.',
  ),
  requirement(
    'D-08',
    'protocol 5.8',
    'A turn that was interrupted agent.max_attempts times ends with TURN_INTERRUPTED.',
  ),
  requirement('D-09', 'durability 4', 'A notification is only a hint: the queue also finds messages without one.'),
  requirement(
    'D-10',
    'durability I3, I4',
    'A session has one owner: an owner that could not renew stops, and a write with a stale epoch changes nothing.',
  ),
  requirement('D-11', 'durability 2', 'A migration that a crash interrupts is restarted at the next start.'),
  requirement(
    'D-12',
    'durability 1',
    'A store file belongs to one process; a second one refuses to start and does not disturb the first.',
  ),
  requirement(
    'D-13',
    'durability 1',
    'A file that is not a store of this gateway stops the start and is not overwritten.',
  ),
  requirement('D-14', 'durability I5', 'Messages that are not delayed are claimed by priority, then by age.'),
  requirement('D-15', 'durability I8', 'Confirmed frames are not sent to a client again unless it requests them.'),
  requirement('D-16', 'durability I10', 'resume followed by live frames equals the log, even while it is written.'),
  requirement('D-17', 'durability I11', 'Limits are never exceeded, and refused messages are not stored.'),
  requirement('D-18', 'durability I13', 'The counts of all states sum up to the accepted messages.'),

  // Lifecycle and health
  requirement('L-01', 'settings 4', 'start prints one line with URL, pid and store once the gateway is ready.'),
  requirement(
    'L-02',
    'protocol 10',
    'Authenticated callers get the full /health, as do all in open mode; other callers get status and uptime_seconds.',
  ),
  requirement(
    'L-03',
    'protocol 10',
    'SIGTERM makes /health/ready 503 at once and sends going_away with a jittered delay.',
  ),
  requirement(
    'L-04',
    'protocol 10',
    'During a drain a new message is DRAINING, running turns finish, sockets close with 1012 and the exit code is 0.',
  ),
  requirement(
    'L-05',
    'protocol 10',
    'A second SIGTERM ends the process within 2 s; running turns continue after the next start.',
  ),
  requirement(
    'L-06',
    'protocol 5.3',
    'A turn that does not finish within drain_timeout_ms is released, and its run does not count as an attempt.',
  ),
  requirement(
    'L-07',
    'settings 4',
    'A failed start prints a reason that an operator can act on, and exits with code 1.',
  ),
  requirement(
    'L-08',
    'settings 1',
    'A message can be followed through the logs by its message_ref; they hold neither its text nor a token.',
  ),
  requirement('L-09', 'settings 1', 'Each subsystem logs at its own level, which can change while it runs.'),
  requirement('L-10', 'protocol 10', '/health returns the specified body.'),
  requirement('L-11', 'protocol 10', 'The status is healthy, degraded while messages cannot be accepted, or draining.'),
  requirement(
    'L-12',
    'protocol 10',
    'The liveness, readiness and startup probes are correct in each phase of start and stop.',
  ),
  requirement('L-13', 'protocol 10', 'Readiness fails while the store cannot commit; liveness does not.'),
  requirement(
    'L-14',
    'protocol 10',
    '/openapi.json, /asyncapi.json and /docs are public and describe the running version.',
  ),
  requirement(
    'L-15',
    'settings 1',
    'Logs are JSON lines when standard output is not a terminal, and readable lines otherwise.',
  ),

  // Settings
  requirement(
    'P-01',
    'settings 1',
    'Settings come from the defaults, the file, the environment and the command line; later sources take precedence.',
  ),
  requirement('P-02', 'settings 1', '.env is read in development and not in production.'),
  requirement('P-03', 'settings 1', 'A variable ending in _FILE reads its value from a file.'),
  requirement(
    'P-04',
    'settings 1',
    'Variables that Kubernetes injects are ignored; other unknown variables cause a warning.',
  ),
  requirement(
    'P-05',
    'settings 1',
    'Faults stop the start with one message that lists every one with its key and what is allowed.',
  ),
  requirement(
    'P-21',
    'settings 1',
    'A start that is refused says why, starts no program, leaves no file behind and ends within a second.',
  ),
  requirement('P-06', 'settings 4', 'A setting of a feature that does not exist yet is refused by name.'),
  requirement(
    'P-07',
    'protocol 1',
    'A token that a subprotocol cannot carry, or an ambiguous token entry, stops the start and is not shown.',
  ),
  requirement(
    'P-08',
    'protocol 1',
    'Bound beyond loopback without a credential, the gateway refuses to start and names the setting to change.',
  ),
  requirement(
    'P-09',
    'settings 3',
    'A setting changed at run time takes effect at once, is stored, and its watchers get the new and the old value.',
  ),
  requirement(
    'P-10',
    'settings 3, durability I12',
    'Changes are compare-and-set: a stale version is 409, and versions only grow.',
  ),
  requirement(
    'P-11',
    'settings 3',
    'A change is validated like the settings at start, and applied as a whole or not at all.',
  ),
  requirement('P-12', 'settings 3', 'The response says which changes need a restart.'),
  requirement(
    'P-13',
    'settings 1',
    'A change at run time takes precedence over file and environment, but not over the command line; null removes it.',
  ),
  requirement('P-14', 'settings 3', 'Secrets are write-only: they read as `***`.'),
  requirement(
    'P-15',
    'settings 3',
    'Settings are read with admin:read, and each is changed with the scope that it names, by operators of tenant `default`.',
  ),
  requirement(
    'P-19',
    'settings 3',
    'Whatever is changed at run time is in force at once, or where the answer says so from the next start on, before anything is opened to anybody.',
  ),
  requirement(
    'P-20',
    'settings 3',
    'config:write alone reaches no program to start, no credential, no permission and no address; a credential that is made at run time has no more rights than its maker.',
  ),
  requirement(
    'P-16',
    'architecture 6',
    'A team adds a tool with one class, by config.yaml or in its own Nest application.',
  ),
  requirement(
    'P-17',
    'architecture 6',
    'A module that cannot be loaded, or names a tool twice, stops the start with the names.',
  ),
  requirement(
    'P-18',
    'settings 4',
    '`openclaw config` gets, sets, unsets and watches settings, and shows the source of each value.',
  ),
  requirement(
    'P-30',
    'administration',
    'Each command has two examples and --json, and bash, zsh and fish complete commands, actions and flags.',
  ),
  requirement(
    'P-32',
    'settings 4',
    'Commands print tables for people and JSON with --json, and exit with 0, 1 (a wrong token too), 2 or 3.',
  ),
  requirement(
    'P-31',
    'settings 4',
    '`openclaw doctor` says what is wrong with what a gateway needs, and how it is mended.',
  ),
  requirement(
    'P-24',
    'agents 1',
    '10,000 bindings are stored by one change or by the file; a limit that is exceeded is named.',
  ),

  // The TypeScript client
  requirement(
    'K-01',
    'protocol 1',
    'The client carries its token as a subprotocol and keeps its client_id over reconnects.',
  ),
  requirement('K-02', 'protocol 4', 'A reply is an async iterable of the events of its message, to its end.'),
  requirement(
    'K-03',
    'protocol 7',
    'After a lost connection the client resumes each session at exactly the last seq that it has seen.',
  ),
  requirement(
    'K-04',
    'protocol 5.2',
    'A message without an acknowledgement is sent again, unchanged and under its id.',
  ),
  requirement(
    'K-05',
    'protocol 7',
    'The client reconnects after close codes that allow it, and gives up after the others.',
  ),
  requirement('K-06', 'protocol 5.5', 'The client drops duplicate frames and fills gaps by a resume.'),
  requirement(
    'K-07',
    'protocol 6',
    'A message refused as retryable is sent again under the same id, not earlier than the gateway allows.',
  ),
  requirement('K-08', 'protocol 3', 'The client confirms whole replies with delivered.'),
  requirement('K-09', 'protocol 3', 'A reply can be cancelled at any time, also by an AbortSignal.'),
  requirement('K-10', 'protocol 5.8', 'The client drops the blocks that a stream_restart replaces.'),
  requirement(
    'K-11',
    'protocol 1',
    'The client runs in a browser: it contains no package, no validator and nothing of Node.',
  ),

  // Security
  requirement(
    'X-01',
    'protocol 1',
    'A connection with a missing or wrong credential is upgraded and closed at once with 4001.',
  ),
  requirement(
    'X-02',
    'protocol 1',
    'A token comes in the Authorization header or as a subprotocol; the subprotocol that holds it is never echoed.',
  ),
  requirement('X-03', 'protocol 1', 'A token in the query string is always HTTP 400.'),
  requirement(
    'X-04',
    'protocol 1',
    'An Origin that is not on the allow list is HTTP 403, for an upgrade and for every method but GET and HEAD.',
  ),
  requirement(
    'X-05',
    'protocol 1',
    'A Host that is not on the allow list is HTTP 421; IP literals pass where the gateway is bound beyond loopback.',
  ),
  requirement('X-06', 'protocol 1', 'The probes accept any Host.'),
  requirement(
    'X-07',
    'protocol 1',
    'Open mode is for loopback peers with a loopback Host, no forwarding header and no foreign Origin.',
  ),
  requirement(
    'X-08',
    'protocol 1',
    'Too many failed authentications from an address are HTTP 429; a valid credential still passes.',
  ),
  requirement('X-09', 'security', 'Forwarding headers count only from trusted proxies.'),
  requirement('X-10', 'security', 'Tokens are compared as hashes and in constant time.'),
  requirement(
    'X-11',
    'protocol 6',
    'Every failure over HTTP is problem+json with the fields of an error frame, without a cause.',
  ),
  requirement(
    'X-12',
    'security',
    'HTTP answers carry a strict content security policy and refuse to be framed or sniffed.',
  ),
  requirement(
    'X-31',
    'protocol 1',
    'A page or an app whose origin is listed uploads and reads files; no other origin, and no other route, is opened to it.',
  ),
  requirement(
    'X-32',
    'security',
    'The audit trail has authentications, changes of activation, calls over MCP and tools with side effects, bounded and without secrets.',
  ),
  requirement(
    'X-45',
    'protocol 1',
    'In open mode administration, tools over MCP and decisions on approvals need the local token, which is new at each start.',
  ),
  requirement('X-13', 'settings 1', 'Secrets never appear in a log.'),
  requirement('X-14', 'security', 'No external text can forge a log line or control a terminal.'),
  requirement('X-15', 'security', 'No path reaches a file outside the served ones.'),
  requirement(
    'X-16',
    'protocol 1',
    'The body of a request is JSON of at most 256 KiB, and JSON that is costly to parse is refused unparsed.',
  ),

  // Web chat
  requirement(
    'W-01',
    'web chat',
    'A message is shown when it is sent and its answer while it grows; both are shown again after a reload; screen readers read complete blocks.',
  ),
  requirement('W-02', 'web chat', 'The code of a link is exchanged once for a token.'),
  requirement(
    'W-03',
    'web chat',
    'A code is valid for a minute; wrong ones count as failed authentications of their address.',
  ),
  requirement(
    'W-04',
    'web chat',
    'A page signed in by a code may only chat, as its own sender on its own channel, for a week.',
  ),
  requirement(
    'W-05',
    'web chat',
    "A page's token survives a restart of the gateway and ends when the operators' tokens change.",
  ),
  requirement(
    'W-06',
    'web chat',
    'A page that is reloaded in the middle of an answer shows the same conversation and continues.',
  ),
  requirement(
    'W-07',
    'web chat',
    'After a gateway was killed and started again in the middle of an answer, the page misses no block and shows none twice.',
  ),
  requirement(
    'W-08',
    'web chat',
    'The page asks for a token only when the gateway needs one, keeps it in the tab, and sends it only as a subprotocol.',
  ),
  requirement('W-09', 'web chat', 'Two tabs show the same conversation; each is a separate client.'),
  requirement('W-10', 'web chat', 'Every kind of block is shown.'),
  requirement('W-11', 'web chat', 'Earlier messages are loaded page by page while the user scrolls up.'),
  requirement(
    'W-12',
    'web chat',
    'A page that may use any sender has several conversations; a page bound to a sender has one and no list.',
  ),
  requirement('W-13', 'web chat', 'The page notifies the gateway when the user types, stops typing, and leaves.'),
  requirement('W-14', 'web chat', 'A running answer can be stopped, and a waiting message cancelled.'),
  requirement(
    'W-15',
    'web chat',
    'A message written while the gateway is unreachable is sent when it is reachable, even after a reload, and answered once.',
  ),
  requirement(
    'W-16',
    'web chat',
    'The page shows the state of its connection: another protocol, offline, reconnecting, restarting.',
  ),
  requirement(
    'W-17',
    'web chat',
    'A message of 65,536 characters is sent; a longer one, or one too big for a frame, is refused before it is sent.',
  ),
  requirement(
    'W-18',
    'web chat',
    'Refused files, a full queue and a failed answer are shown with the reason and what to do.',
  ),
  requirement('W-19', 'web chat', 'The page reads neither a token nor a gateway from its address.'),
  requirement('W-20', 'web chat', 'Everything can be done by keyboard.'),
  requirement('W-21', 'web chat', 'The page fits a phone and never scrolls sideways.'),
  requirement('W-22', 'web chat', 'axe finds no serious or critical barrier, in light and in dark.'),
  requirement('W-23', 'web chat', 'No external text runs anything, loads anything or breaks out of its element.'),
  requirement(
    'W-24',
    'web chat',
    'The page has a policy that allows nothing but itself; its files are named by their content and cached permanently.',
  ),
  requirement(
    'W-25',
    'web chat',
    'A tool call that needs an approval is shown with its arguments and decided in the page, even after a reload.',
  ),
  requirement(
    'W-26',
    'web chat',
    'Pictures that are chosen, pasted or dropped go with a message, at most four, and are shown again after a reload; refused ones are named with the reason.',
  ),
  requirement(
    'W-27',
    'web chat',
    "Pictures and sound of the gateway are read with the page's token, which appears in no address, and released when they are no longer shown.",
  ),
  requirement('W-28', 'web chat', 'The page works below a path of a proxy: all its addresses are relative.'),
  requirement(
    'W-60',
    'web chat',
    'An answered message is answered again, or edited and sent in its place; the earlier exchange folds, and what tools may do again is said.',
  ),
  requirement(
    'W-61',
    'web chat',
    'An answer is copied as Markdown and HTML, a table as Markdown and CSV, code and conversations as they were written.',
  ),
  requirement(
    'W-62',
    'web chat',
    'A wide table shows the side where it is cut and keeps its first column; code wraps on demand; space stands by pairs.',
  ),
  requirement(
    'W-63',
    'web chat',
    'A text over 20 KB is cut, and shown in parts on demand, so that the page never freezes.',
  ),
  requirement(
    'W-64',
    'web chat',
    'Formulas are drawn once they are complete and copied as their source; amounts of money and wrong formulas stay text.',
  ),
  requirement(
    'W-65',
    'web chat',
    'Diagrams are drawn in a sandboxed frame within 3 s and 20,000 characters; otherwise the source and the reason are shown.',
  ),
  requirement(
    'W-66',
    'web chat',
    'The first load takes at most 80 KB; what draws formulas, diagrams and colours code is loaded when it is needed.',
  ),
  requirement(
    'W-67',
    'web chat',
    'A conversation of 800 exchanges opens within a second, and a key is shown within 50 ms.',
  ),
  requirement(
    'W-68',
    'web chat',
    'Days and countdowns follow the clock of the gateway, whatever that of the device says; a denied call says by whom, also after a reload.',
  ),
  requirement(
    'W-40',
    'web chat',
    'A message that is not stored never looks stored: sent, late, held, stored, its place in line, answered, failed and denied look different, in words.',
  ),
  requirement(
    'W-41',
    'web chat',
    'A lost network is shown within a second, and what was written without one is sent and answered once.',
  ),
  requirement(
    'W-42',
    'web chat',
    'Conversations are listed by day, searched by title and by message, renamed, pinned, saved and removed with undo; other tabs follow, and the title of the tab counts new answers.',
  ),
  requirement(
    'W-43',
    'web chat',
    'Keys without a modifier act outside of fields only, are listed, and can be switched off for good.',
  ),
  requirement(
    'W-44',
    'web chat',
    'Stop stands in the place of Send, everything that waits can be stopped at once, and Escape closes what is open before it stops an answer.',
  ),
  requirement(
    'W-45',
    'web chat',
    'The page never scrolls sideways, from 320 to 1440 pixels, at 200 % and 400 %, and with the text spacing of WCAG 1.4.12.',
  ),
  requirement(
    'W-46',
    'web chat',
    'What is pressed is at least 24 pixels wide and high, 44 on touch screens; the first Tab leads to the composer, and the focus is always visible.',
  ),
  requirement(
    'W-47',
    'web chat',
    'Reduced motion is still, print has the whole conversation, right to left is mirrored but for code, and screen readers hear a block once.',
  ),
  requirement(
    'W-70',
    'web chat',
    'New answers are counted also in conversations that a tab has not shown, from where the browser has seen them.',
  ),
  requirement(
    'W-71',
    'web chat',
    'A voice message is recorded for the conversation in which it began, and an upload shows how much of it is sent.',
  ),
  requirement(
    'W-72',
    'web chat',
    'Over a slow network the page stands within 3 s and moves nothing; a hidden tab asks for nothing; eight tabs work at once.',
  ),
  requirement(
    'W-73',
    'agents 3',
    'The page of a gateway without a model lets an operator set one up: it is asked one question, then saved; the key is never kept. Others learn that there is none.',
  ),
  requirement(
    'W-74',
    'web chat',
    'What is not complete says so: earlier messages that cannot be read, a copy that the browser refuses.',
  ),
  requirement(
    'W-75',
    'web chat',
    'More than three finished tool calls in a row fold into one line with their outcomes.',
  ),
  requirement(
    'W-76',
    'web chat',
    'The address names the conversation and what lies over it, for Back, Forward, a reload and a link, and the conversation of another person is not here.',
  ),
  requirement(
    'W-77',
    'web chat',
    'A person who signs out decides what becomes of messages that are not sent, and another person who signs in neither sees nor sends anything of theirs.',
  ),
  requirement(
    'W-78',
    'web chat',
    'A page whose live connection does not open shows what the browser has stored, and blames no more than the gateway has said.',
  ),
  requirement(
    'W-79',
    'web chat',
    'In a conversation that several people write into, the page says who began it and who wrote each message.',
  ),
  requirement(
    'X-17',
    'security',
    'A guarded route is 401 without a credential, and 403 for another role or without the scope, which the response names.',
  ),

  // Tools and approvals
  requirement(
    'O-01',
    'protocol 4',
    'A call that needs an approval starts only after a person has allowed it; a denied call ends as denied and the turn continues.',
  ),
  requirement('O-02', 'security', 'A decision applies to exactly the shown arguments, by their hash.'),
  requirement('O-03', 'protocol 3', 'Operators and participants decide; for others an approval does not exist.'),
  requirement('O-04', 'protocol 3', 'The first decision stands.'),
  requirement(
    'O-05',
    'protocol 4',
    'An approval expires, at the latest with its turn, and a later decision is refused.',
  ),
  requirement(
    'O-06',
    'durability 1',
    'An approval survives a crash: its call keeps waiting for the same approval and starts at most once.',
  ),
  requirement('O-07', 'settings 1', 'The settings can require an approval for any tool.'),
  requirement('O-08', 'protocol 9', 'Tools are listed, enabled, disabled and permitted while the gateway runs.'),
  requirement('O-09', 'security', 'A call never uses more permissions than the credential of its sender allows.'),
  requirement('O-10', 'protocol 10', 'An uploaded file is stored with the type of its content.'),
  requirement(
    'O-11',
    'protocol 10',
    'A file that is too large or of a type that is not allowed is refused and not stored.',
  ),
  requirement('O-12', 'protocol 10', 'A file is never served as something that a browser executes.'),
  requirement(
    'O-13',
    'protocol 10',
    'A file can be read by its uploader and by callers who may read the session of its message.',
  ),
  requirement(
    'O-14',
    'protocol 10',
    'A file that no message uses within a day is deleted; others are deleted with their session.',
  ),
  requirement(
    'O-20',
    'security',
    'Fetches on behalf of others go only to public hosts: every address is checked, pinned, and checked again at each redirect.',
  ),
  requirement(
    'O-21',
    'security',
    'A setting may open a private host, but nothing opens the metadata services of clouds.',
  ),
  requirement(
    'O-22',
    'integrations',
    'http.fetch returns text with its type and status, and a summary of anything else.',
  ),
  requirement('O-23', 'integrations', 'http.fetch is limited in size, time and headers.'),
  requirement(
    'O-24',
    'integrations',
    'session.info returns the session and its tools; tools with effects or secrets need a permission each.',
  ),
  requirement('O-25', 'protocol 9', 'memory.search finds by its words what the session stored with memory.save.'),
  requirement(
    'O-26',
    'protocol 9',
    "A session finds the memories of the collections in its memory_refs and its own, and no tenant another's.",
  ),
  requirement(
    'O-27',
    'browser-and-canvas 1',
    'A tool decides by the parameters of a call whether a person must approve it, and the person sees what it will do.',
  ),

  // Models
  requirement(
    'R-01',
    'settings 1',
    'The providers anthropic and openai need only ANTHROPIC_API_KEY and OPENAI_API_KEY.',
  ),
  requirement(
    'R-02',
    'settings 1',
    'A model whose provider is not configured stops the start and is refused at run time; the error says what to set.',
  ),
  requirement('R-03', 'settings 3', 'Keys and headers of providers are never returned.'),
  requirement(
    'R-04',
    'settings 1',
    'agent.runtime auto is pi when a model is configured, even at run time; without a model pi is not loaded.',
  ),
  requirement('R-05', 'settings 1', 'A model answers over each of the three wires: deltas, typed blocks, usage.'),
  requirement('R-06', 'protocol 4', 'The thoughts of a model are not shown.'),
  requirement(
    'R-07',
    'protocol 4',
    "A model's tool calls run through the registry, one after the other, and it gets their results, even those of refused, unknown or malformed calls.",
  ),
  requirement(
    'R-08',
    'protocol 5',
    'After a crash a recorded answer is not requested again, and a tool takes effect at most once.',
  ),
  requirement(
    'R-09',
    'security',
    'The model sees earlier messages, observed ones and reactions, each under the name of its sender; no sender can pose as another or as the operator.',
  ),
  requirement(
    'R-10',
    'settings 1',
    'A conversation larger than the context window is cut to fit, the same way after a restart; a digest replaces the omitted part.',
  ),
  requirement(
    'R-11',
    'design',
    'A request that failed temporarily (408, 429, 5xx, a broken connection) is retried after growing delays, or after the delay that the provider names.',
  ),
  requirement(
    'R-12',
    'protocol 4',
    'A half-streamed answer that has to be requested again is withdrawn by stream_restart.',
  ),
  requirement(
    'R-13',
    'protocol 4',
    'A turn that fails shows a status block in plain words, without secrets or internals of a provider, and ends with AGENT_FAILED.',
  ),
  requirement('R-14', 'protocol 3', 'A cancel and the time limit of a turn end the request to the provider.'),
  requirement('R-15', 'protocol 3', 'Images go to a model that accepts them; other attachments are described.'),
  requirement(
    'R-16',
    'agents 3',
    'When a provider is unreachable, silent, overloaded, refuses the key, has no credit or does not know the model, the next model of agent.fallbacks answers; not after a refusal of content, a bad request or a cancel.',
  ),
  requirement(
    'R-17',
    'agents 3',
    'A provider that failed rests for 30 s, doubled to 5 minutes: it is asked after those that do not rest, and nothing else changes.',
  ),
  requirement(
    'R-18',
    'agents 3',
    'A session whose model changes continues: what another model said reaches the next one without its reasoning and its ids.',
  ),
  requirement(
    'R-19',
    'agents 3',
    '`usage.model` is the model that answered last, and `usage.by_model` lists the models when there were several.',
  ),
  requirement(
    'R-20',
    'administration',
    'GET /admin/v1/models and `openclaw models` list providers with state, models and windows, and the model servers found on this machine; no key.',
  ),
  requirement(
    'R-21',
    'administration',
    'POST /admin/v1/models/test and `openclaw models test` ask a model one question: the answer with the time to its first token, or why there is none.',
  ),
  requirement(
    'R-22',
    'agents 3',
    '`/model` shows the model of the session; operators and admins of the channel set it within agent.allowed_models, or the models that agents of the tenant name.',
  ),
  requirement(
    'R-23',
    'agents 3',
    '`openclaw setup` finds providers, lets a person choose one and a model, asks one question and writes the settings, secrets to files of mode 0600; --yes with flags asks nothing.',
  ),
  requirement(
    'R-24',
    'agents 1',
    'prompt_files follow the system prompt in their order, links allowed, 64 KiB each and 256 KiB together, read again when they change; a file that cannot be read prevents the start, later its last good text stays.',
  ),
  requirement(
    'R-25',
    'agents 4',
    'The prompt lists the skills of an agent, within 32,000 characters; a broken one is left out with one warning, a changed one counts from the next turn on.',
  ),
  requirement(
    'R-26',
    'agents 4',
    'skills.read reads text files of a skill up to 64 KiB, and no path or link leads out of its folder; in the sandbox the folder is at /skills/NAME, read-only.',
  ),

  // Sandbox
  requirement(
    'B-01',
    'integrations',
    'Commands of tools run as user nobody, without capabilities or ways to gain them.',
  ),
  requirement(
    'B-02',
    'integrations',
    'A command can write to its workspace and to its own /tmp, and sees no file of the machine outside them.',
  ),
  requirement('B-03', 'integrations', "A command gets nothing of the gateway's environment."),
  requirement('B-04', 'integrations', 'A command has no network.'),
  requirement('B-05', 'integrations', 'A command sees no process outside its sandbox.'),
  requirement('B-06', 'integrations', 'Processes, memory and the size of files of a command are limited.'),
  requirement(
    'B-07',
    'integrations',
    'No process of a command remains after its end or stop; processes and containers left by a crash of the gateway are removed.',
  ),
  requirement(
    'B-08',
    'integrations',
    'shell.run returns the exit code and the end of a long output with the number of cut bytes, and stops commands that take too long.',
  ),
  requirement('B-09', 'integrations', 'Each session has its own workspace.'),
  requirement('B-10', 'integrations', 'files.read, files.write and files.list work on the workspace of the session.'),
  requirement('B-11', 'integrations', 'No path or link leads file tools out of the workspace.'),
  requirement('B-12', 'integrations', 'A workspace has a quota; a full one can be emptied.'),
  requirement(
    'B-13',
    'integrations',
    'Without a sandbox engine commands are refused with what to install, and never run unsandboxed.',
  ),
  requirement(
    'B-14',
    'integrations',
    'A workspace is deleted with its session, even after a restart, but not while a command runs in it.',
  ),

  // Canvas
  requirement(
    'Y-01',
    'browser-and-canvas 2',
    'An agent draws a surface of A2UI beside the conversation; what a person enters and presses there comes back as one message, however often it is pressed.',
  ),
  requirement(
    'Y-02',
    'browser-and-canvas 2',
    'Messages of A2UI apply as a whole or not at all; the agent gets one path to what is wrong, what stays blank as a warning.',
  ),
  requirement(
    'Y-03',
    'browser-and-canvas 2',
    'A surface that would freeze a client is refused: cycles, depth, number of shown elements, regular expressions.',
  ),
  requirement(
    'Y-04',
    'browser-and-canvas 2',
    'A state of a surface is stored once for its tool call and shown in the commit of the result, whatever crashes.',
  ),
  requirement('Y-05', 'browser-and-canvas 2', 'Surfaces, pages, blocks a second and what is entered are bounded.'),
  requirement(
    'Y-06',
    'browser-and-canvas 2',
    'The agent reads what a person has entered; only users and operators who may read the conversation report it.',
  ),
  requirement(
    'Y-07',
    'browser-and-canvas 2',
    'The address of a page is for one version of one surface and for minutes; the page is served to a frame, without network and origin.',
  ),
  requirement(
    'Y-08',
    'browser-and-canvas 2',
    'A page of an agent reaches neither the chat, its token nor the network, acts for no person by itself, and is taken away when it leaves.',
  ),
  requirement(
    'Y-09',
    'browser-and-canvas 2',
    'Surfaces have no barrier, lie over the conversation on a phone, and are used by keys.',
  ),
  requirement(
    'Y-10',
    'browser-and-canvas 2',
    'What a person has typed stays over changes of the agent and a reload; a surface that froze the page is drawn only on request.',
  ),
  requirement(
    'Y-11',
    'browser-and-canvas 2',
    'The page of a tool of an MCP server is a surface with the limits of every page; who may not draw gets the text of the result alone.',
  ),
  requirement(
    'Y-12',
    'browser-and-canvas 2',
    'The page of an MCP server gets its result once it listens, acts only while a person presses something in it, and calls nothing but tools of its own server.',
  ),

  requirement(
    'Y-13',
    'browser-and-canvas 2',
    'What a reader cannot draw of a surface comes back to its agent; only users and operators who may read the conversation report it.',
  ),
  requirement(
    'Y-14',
    'browser-and-canvas 2',
    'Older states of a surface leave the log after 24 hours, 1,000 states or 1 MiB; the newest one stays.',
  ),

  // MCP
  requirement(
    'Q-01',
    'security',
    'A foreign JSON Schema is limited in size, depth and parts, has no external references, and contains no keyword whose cost depends on the values.',
  ),
  requirement(
    'Q-02',
    'integrations',
    'Tools of an MCP server are `mcp__SERVER__TOOL`, need the permission `mcp:SERVER`, and run at most once for a call, whatever the server says.',
  ),
  requirement(
    'Q-03',
    'security',
    'The descriptions from an MCP server are truncated and cleaned; an unusable tool does not affect others.',
  ),
  requirement(
    'Q-04',
    'integrations',
    'A lost MCP server is reconnected with growing delays; its tools come and go with it.',
  ),
  requirement(
    'Q-05',
    'integrations',
    'A call of an MCP tool reports progress, ends at its time limit and with its turn, and its result is truncated.',
  ),
  requirement(
    'Q-06',
    'integrations',
    "An MCP server's program gets only PATH of the gateway's environment, and the variables in its setting.",
  ),
  requirement('Q-07', 'integrations', 'Tools are listed and called over MCP at /mcp.'),
  requirement(
    'Q-08',
    'integrations',
    '/mcp is for operators with the scope tools:call, under the rules of all HTTP and the permissions of all tools.',
  ),
  requirement('Q-09', 'integrations', 'A gateway can use the tools of another over MCP.'),
  requirement(
    'Q-10',
    'integrations',
    'A malformed tool, result or refusal of an MCP server fails at most one call; the connection and other calls continue.',
  ),
  requirement(
    'Q-11',
    'security',
    'Input from an MCP server is bounded: a message, an event of a stream, the parts of a result, the list of its tools, and how often that is read.',
  ),
  requirement(
    'Q-12',
    'integrations',
    'The program of an MCP server runs in its own process group and ends with the gateway and with all its children, even during a handshake.',
  ),
  requirement(
    'Q-13',
    'integrations',
    'A turn starts when each MCP server has listed its tools or is known to be down, at most 10 s after the start; a call waits for a tool that is being connected.',
  ),
  requirement(
    'Q-14',
    'security',
    "The secrets of an MCP server's setting appear in no log and no failure reason, even if the server repeats them.",
  ),
  requirement(
    'Q-15',
    'integrations',
    "/mcp lists tools under names that every client accepts; calls may also use the gateway's names.",
  ),
  requirement(
    'Q-16',
    'security',
    'No session or tenant can block the tool calls of others, and waiting calls are bounded.',
  ),
  requirement(
    'Q-17',
    'protocol 4',
    'A call of an MCP server fails as soon as its response has ended without a result.',
  ),

  // Bounds and time
  requirement(
    'N-01',
    'durability',
    'A clock that is set by a day, or a night of sleep, leaves limits, leases, retries, timers, presence and uptime right.',
  ),
  requirement(
    'N-02',
    'protocol 1',
    'A peer that sends HTTP requests and reads no response holds one response for each of its connections, and not for long.',
  ),
  requirement('N-03', 'protocol 5', 'At most 1 MiB of inbound frames of a connection wait for their turn.'),
  requirement(
    'N-04',
    'protocol 6',
    'The message limit counts per principal, whatever client ids it uses; for role channel per sender.',
  ),
  requirement('N-05', 'settings 1', 'A flood of names resets no limit that has been reached.'),
  requirement('N-06', 'protocol 5', 'At most 1 MiB is buffered for a connection, however many sessions it reads.'),
  requirement('N-07', 'protocol 3', 'A connection reports the status of a limited number of channels.'),
  requirement(
    'N-08',
    'protocol 4',
    'A history frame has at most 1 MiB, whatever it holds, and is read and encoded in portions.',
  ),
  requirement(
    'N-09',
    'protocol 5',
    'An operator that does not read its presence frames buffers at most 1 MiB, and gets the newest states later.',
  ),
  requirement(
    'N-10',
    'settings 1',
    'A reaction is an emoji; a sender has 120 per minute, and a message has 20 of a sender and 1,000 of all.',
  ),
  requirement('L-18', 'protocol 10', 'Liveness fails when the store is dead, which only a restart repairs.'),
  requirement(
    'L-19',
    'administration',
    '/metrics needs metrics:read or admin:read, and a credential for all tenants, where the settings name several.',
  ),
  requirement('L-20', 'security', 'No value that a metric is given makes it throw, fall or become unreadable.'),
  requirement('L-21', 'administration', '/metrics does not wait for the store, and says how old its values are.'),
  requirement(
    'L-24',
    'administration',
    'The dashboard and the alert rules name only metrics and labels that the gateway serves.',
  ),
  requirement(
    'L-25',
    'administration',
    'The trace context of a message is the parent from channels and operators, a link from others, and ignored if malformed.',
  ),
  requirement(
    'L-26',
    'administration',
    'A trace context is stored with its message, and the next run after a crash belongs to it.',
  ),
  requirement(
    'L-27',
    'administration',
    'Spans go from the message over queue, turn, model and tool to the delivery, and hold no text, person or secret.',
  ),
  requirement(
    'L-28',
    'administration',
    'A collector that does not take traces costs a bounded time of the stop, and a line a minute.',
  ),
  requirement('L-22', 'administration', '/health says why it is degraded, to those who administer all tenants.'),
  requirement(
    'L-23',
    'administration',
    'Readiness reports within 2 s that the store cannot commit, and that it can again.',
  ),
  requirement('N-11', 'security', 'A store that is down logs one line when it fails and one when it is back.'),
  requirement(
    'N-12',
    'settings 1',
    'A principal uploads limits.media_bytes_per_day in 24 hours; more is 429 QUOTA_EXCEEDED.',
  ),
  requirement('N-13', 'protocol 10', 'Files that a crash left without a record, and parts of files, are deleted.'),
  requirement(
    'N-14',
    'settings 1',
    'Connections and HTTP requests hold limits.buffered_bytes in memory together, shared among tenants; reaching it is reported.',
  ),
  requirement(
    'N-15',
    'settings 1',
    'Connections read limits.sessions_read sessions together; a tenant leaves half to others, one more is RATE_LIMITED.',
  ),
  requirement('Z-01', 'agents 1', 'The most specific binding wins, as a reading of the page by brute force finds it.'),
  requirement('Z-02', 'agents 1', 'A message without a binding gets the default agent of its tenant, always.'),
  requirement('Z-03', 'agents 1', 'A change of agents and bindings takes effect with the next message.'),
  requirement('Z-04', 'agents 1', 'A tenant sees its own agents and the one that stands in for its default.'),
  requirement(
    'Z-05',
    'agents 2',
    'A session belongs to one agent; a repeat is a duplicate whatever the bindings say by now.',
  ),
  requirement('Z-06', 'agents 2', "Only the name of the message's own agent is a mention, and counts in a command."),
  requirement('Z-07', 'agents 2', 'A message with a session_id goes to that session and its agent.'),
  requirement(
    'Z-08',
    'agents 1',
    'Waiting messages of a removed agent end with AGENT_FAILED; its sessions can be read.',
  ),
  requirement('Z-09', 'agents 2', 'connected names the agent that is bound now and its main session on webchat.'),
  requirement('Z-10', 'agents 1', 'Sessions of before there were several agents belong to main, with key and content.'),
  requirement('Z-11', 'agents 6', 'Names, prompts, tools, memory and sessions of two agents never mix.'),
  requirement(
    'Z-12',
    'agents 2',
    'The admin API shows the agents of a tenant and each effective setting with its source.',
  ),
  requirement(
    'Z-13',
    'agents 2',
    'POST /bindings/test says who would answer, why, and in which session; it stores nothing.',
  ),
  requirement('Z-14', 'agents 2', '`openclaw agents` lists, shows and tests.'),
  requirement('Z-16', 'agents 5', 'An agent asks another in a session of the pair and gets its text blocks.'),
  requirement(
    'Z-17',
    'agents 5',
    "The asked turn runs in its asker's slot: asking waits for no slot and exceeds nothing.",
  ),
  requirement(
    'Z-18',
    'agents 5',
    'The depth is at most two, without a circle and within one tenant; a turn asks at most four at once.',
  ),
  requirement(
    'Z-19',
    'agents 5',
    'Asking needs agents or agents:ID; the asked agent holds no more than the asking turn.',
  ),
  requirement(
    'Z-20',
    'agents 5',
    'A failed answer is a failed result; cancel and time limit of the asker end the question.',
  ),
  requirement('Z-21', 'agents 5', 'A question is answered once, whatever crashes.'),
  requirement(
    'Z-31',
    'agents 5',
    'An approval that an asked agent needs is shown in, and decided from, the session of the person, also after a crash.',
  ),
  requirement(
    'Z-32',
    'agents 5',
    'A turn that waits for an approval gives its slot back, and takes one again in order before it goes on.',
  ),
  requirement(
    'Z-40',
    'agents 1',
    "An agent's busy_policy takes precedence over that of the channel, and that over queue.busy_policy.",
  ),
  requirement(
    'Z-41',
    'agents 1',
    'Model, limits, permissions and tools of an agent are its own; of tools that are allowed and denied, denied wins.',
  ),
  requirement('Z-42', 'agents 1', 'A running turn ends under the agent with which it began.'),
  requirement('Z-43', 'agents 1', 'A binding grants no access.'),
  requirement('Z-44', 'agents 2', '`/status` names the agent, `/agents` lists those of the tenant.'),
  requirement('Z-22', 'agents 1', 'With `workspace: agent` all sessions of an agent and a tenant share one folder.'),

  // Channels whose drivers run in the gateway
  requirement(
    'V-01',
    'channels 2',
    'A message is confirmed to its platform once it is stored; the reply goes to its chat.',
  ),
  requirement('V-02', 'channels 2', 'What a platform delivers again is answered once.'),
  requirement(
    'V-03',
    'channels 2, 4',
    'Whatever crashes between platform and agent: each message is answered, in order; what comes twice is counted.',
  ),
  requirement('V-04', 'channels 4', 'A reply grows by edits, in parts within the limit of the platform.'),
  requirement(
    'V-05',
    'channels 3',
    'An unknown sender gets one code and nothing else; three requests wait at most; an operator lets the sender in.',
  ),
  requirement('V-06', 'channels 3', 'Lists of senders and of groups decide who reaches the agent.'),
  requirement('V-07', 'channels 4', 'What was not sent is sent again, not before the time that the platform names.'),
  requirement('V-08', 'channels 4', 'A part whose outcome is unknown is sent again and counted.'),
  requirement(
    'V-09',
    'channels 4',
    'What a platform refuses, or cannot take within delivery_max_age_ms, is given up and counted.',
  ),
  requirement('V-11', 'channels 2', 'Where a platform keeps no queue, what was missed is read after a start.'),
  requirement('V-12', 'channels 2', 'What is too old is kept as context and not answered; the chat gets one note.'),
  requirement(
    'V-13',
    'channels 4, 7',
    'What was given up makes /health degraded; operators list it, send it again and delete it.',
  ),
  requirement(
    'V-14',
    'channels 2, 4',
    'What gateway or platform refuse for a while waits, and holds up its chat only.',
  ),
  requirement('V-15', 'channels 1', 'A team adds a channel with one class; a contract of tests checks its promises.'),
  requirement('V-16', 'channels 2', 'What belongs together, such as an album, is one message.'),
  requirement('V-17', 'channels 5', 'A driver that throws where nothing can catch it ends its run, never the process.'),
  requirement('V-19', 'channels 2', 'An edit replaces a message that waits, and is context for the agent otherwise.'),
  requirement('V-20', 'channels 2', 'A reaction reaches the message that it is to, also by a part of a reply.'),
  requirement('V-21', 'channels 2', 'Other bots are ignored, or answered a few times.'),
  requirement('V-22', 'channels 2', 'The IDs of a person are one sender in sessions, codes and settings.'),
  requirement('V-23', 'channels 4', 'A call that needs an approval is decided in its chat, by those who may.'),
  requirement(
    'V-24',
    'channels 4',
    'A limit of the whole account holds for all chats, and growing replies leave room.',
  ),
  requirement('V-25', 'channels 4', 'A message that a platform reports as failed later is a dead letter.'),
  requirement('V-26', 'channels 7', 'An operator stops, starts and tests a channel.'),
  requirement('V-27', 'channels 1', 'A reply that something else has caused reaches the chat of its session.'),
  requirement(
    'V-33',
    'channels 7',
    'A channel is added at run time: its settings are checked with the platform, stored, and in force at once.',
  ),
  requirement(
    'V-32',
    'channels 1',
    'A driver runs in a process of its own with the same class and a store of its own, and loses nothing when either side dies.',
  ),
  requirement('V-28', 'channels 6', 'The offset of Telegram confirms what is stored; schedules reach its chats.'),
  requirement(
    'V-29',
    'channels 6',
    'Slack gets an acknowledgement when its event is stored, and replies in the thread.',
  ),
  requirement(
    'V-30',
    'channels 6',
    'Discord: a session is resumed, what was missed is read, a repeated part appears once.',
  ),
  requirement('V-31', 'channels 6', 'WhatsApp: deliveries are signed, and a number or an ID is the same person.'),
  requirement('V-10', 'channels 5', 'A platform that is down loses nothing and is tried again without an end.'),

  // Device nodes
  requirement(
    'F-01',
    'nodes 1',
    'A code lets one device in, once, within 10 minutes; wrong, used and expired ones are answered alike.',
  ),
  requirement(
    'F-02',
    'nodes 1',
    'The ID of a node is made of its name, is unique, and stays when it is renamed or its key replaced.',
  ),
  requirement(
    'F-03',
    'nodes 1',
    'A node connects with a credential that its key has signed, for this gateway, now, and once.',
  ),
  requirement(
    'F-04',
    'nodes 1',
    'A node whose clock is off learns by how much, if its signature is right, and that counts as no failure.',
  ),
  requirement('F-05', 'nodes 1', 'A revoked node is disconnected, and its tools and its key end.'),
  requirement(
    'F-06',
    'nodes 2',
    'A command that the pairing allows is a tool with the permission of its node; others are refused with a reason.',
  ),
  requirement(
    'F-07',
    'nodes 2',
    'A changed description or schema waits for an operator; a dangerous command for an approval of each call.',
  ),
  requirement('F-08', 'nodes 2', 'The tools of a node that is away stay listed, and a call of them says so at once.'),
  requirement(
    'F-09',
    'nodes 3',
    'A call survives lost connections and ends of both programs: its result counts once, and it is started once.',
  ),
  requirement(
    'F-10',
    'nodes 3',
    'A call that its node never answers in time is unknown, and not started again unless it is idempotent.',
  ),
  requirement(
    'F-11',
    'nodes 3',
    'A cancelled call is cancelled at the node; a result that no caller waits for is acknowledged and dropped.',
  ),
  requirement(
    'F-12',
    'nodes 3',
    'An event is taken once by its ID, at most ten a second, handed to its handlers in order, and kept for a day.',
  ),
  requirement(
    'F-13',
    'nodes 3',
    'Content that does not fit a frame is uploaded to the session of its call, or the result says that it is too large.',
  ),
  requirement(
    'F-14',
    'nodes 4',
    'The page for devices pairs by code, serves camera, location and notifications while it is in front, and is strict.',
  ),
  requirement(
    'F-15',
    'nodes 4',
    'A machine offers files below one folder without following links, and programs by their real paths and arguments.',
  ),

  // Tailscale
  requirement(
    'H-01',
    'tailscale',
    'An exposed gateway serves itself once it listens, allows its address as Host and Origin, and takes itself away at the stop.',
  ),
  requirement(
    'H-02',
    'tailscale',
    'What others have set in Tailscale is left alone and named; success is what its status says.',
  ),
  requirement(
    'H-03',
    'tailscale',
    'What a gateway that crashed has left in Tailscale is taken over by the next start, also at another port.',
  ),
  requirement(
    'H-04',
    'tailscale',
    'Whatever Tailscale lacks, the gateway works on its machine, is degraded with what to do, and looks again each minute.',
  ),
  requirement('H-05', 'tailscale', 'A funnel is held by a program that ends with the gateway, however that ends.'),
  requirement(
    'H-06',
    'tailscale',
    'A funnel is set only where the gateway is alone at the port; a port that others have opened is not served.',
  ),
  requirement('H-07', 'tailscale', 'A funnel without a credential refuses to start, and to be switched on.'),
  requirement(
    'H-08',
    'tailscale',
    '`openclaw serve` and `openclaw funnel` change a running gateway, with the right to widen its reach.',
  ),
  requirement(
    'H-09',
    'tailscale',
    'With auth.tailscale, a person of the tailnet is who Serve and whois both say, with the rights of auth.tailscale_users.',
  ),
  requirement(
    'H-10',
    'tailscale',
    'Headers of Tailscale are not accepted as an identity on the port, from a funnel, from tagged machines, with a bad address, or without an entry.',
  ),
  requirement('H-11', 'tailscale', 'The address for which Tailscale forwards counts for limits and audit.'),
  requirement(
    'H-12',
    'tailscale',
    'Identity needs a unix socket that no other user reaches; only trust-local takes it on the port, and says so.',
  ),

  // Cron
  requirement(
    'J-01',
    'cron',
    'Each due time of a job is run exactly once, or skipped with a reason, whatever crashes.',
  ),
  requirement(
    'J-02',
    'cron',
    'A fixed local time that is left out is due at the first moment after the gap, and one that comes twice is due once; a rhythm goes on in real time.',
  ),
  requirement(
    'J-03',
    'cron',
    'Due times are found by a look at the wall clock at least every 15 s, however the clock jumps.',
  ),
  requirement('J-04', 'cron', 'A change of a job never starts it; its next due time counts from the change.'),
  requirement('J-05', 'cron', 'The answer to a job reaches the chat of its target through the driver of the channel.'),
  requirement('J-06', 'cron', 'An event of a device starts the jobs that name it, once for its ID.'),
  requirement(
    'J-07',
    'cron',
    'Jobs are made, changed, started and removed over the administration API and by `openclaw cron`.',
  ),
  requirement(
    'J-08',
    'cron',
    'What was missed while nothing ran follows the rule of the job and is reported in numbers.',
  ),
  requirement(
    'J-09',
    'cron',
    'A run follows the rules of its job: overlap, retries, limits, a session of its own; it waits its turn.',
  ),
  requirement('J-10', 'cron', 'A run has the rights that the maker of its job has at that time.'),
  requirement(
    'J-11',
    'cron',
    'Agents make and change jobs for their own chat and sender, at most 50, or with `cron:any` for others.',
  ),
  requirement(
    'J-12',
    'cron',
    'Events of a device start a job that a tool has made only while its maker may use that device.',
  ),

  // Browser
  requirement(
    'U-01',
    'browser-and-canvas 1',
    'An agent opens a page, reads it as a tree with refs, acts on it, and leaves no process and no folder behind.',
  ),
  requirement(
    'U-02',
    'browser-and-canvas 1',
    'A page reaches only what the egress guard allows: requests, redirects, WebSockets, other schemes and WebRTC included.',
  ),
  requirement(
    'U-03',
    'browser-and-canvas 1',
    'An act on an element whose name or surroundings are not those that were shown is refused.',
  ),
  requirement(
    'U-04',
    'browser-and-canvas 1',
    'Values of secret fields are never shown, and what a page says stays within marks that it cannot know.',
  ),
  requirement(
    'U-05',
    'browser-and-canvas 1',
    'A session never sees the cookies of another one, and a browser that hangs or dies is replaced.',
  ),
  requirement(
    'U-06',
    'browser-and-canvas 1',
    'A person approves what enters a secret, sends a form or looks like a purchase, and sees what it does.',
  ),
  requirement(
    'U-07',
    'browser-and-canvas 1',
    'A page that never loads, asks, crashes, hangs, is a file or wants a password gets a result with the reason in time.',
  ),
  requirement(
    'U-08',
    'browser-and-canvas 1',
    'A page opens at most eight tabs, and the tab that an act has opened becomes the current one, as the result says.',
  ),
  requirement(
    'U-09',
    'browser-and-canvas 1',
    'A page of any size is shown in a bounded text whose left out parts can be read, or its call ends with the reason.',
  ),
  requirement(
    'U-10',
    'browser-and-canvas 1',
    'What a killed gateway has left of its browser is gone soon after the next start.',
  ),
  requirement(
    'U-11',
    'browser-and-canvas 1',
    'Files come to pages and from pages as media of the session, after an approval and within the limit of a file.',
  ),
  requirement(
    'U-12',
    'browser-and-canvas 1',
    'The state of a session is kept only if the settings say so, in a file of its own that ends with the session.',
  ),
  requirement(
    'U-13',
    'browser-and-canvas 1',
    'Contexts that are idle close, those of jobs first, and the sessions that had them are notified.',
  ),
  requirement(
    'U-14',
    'browser-and-canvas 1',
    'A Chromium elsewhere is used through its DevTools and reaches only what the egress guard allows.',
  ),
  requirement(
    'U-15',
    'browser-and-canvas 1',
    'A browser that does not start is tried again after growing pauses, with its own words as the reason; as a user without rights it keeps its sandbox.',
  ),

  // Identity
  requirement(
    'I-01',
    'security',
    'A token of an identity provider is refused unless its signature, algorithm, issuer, audience, times, lifetime and principal are right; the log names the claim and never has the token.',
  ),
  requirement(
    'I-02',
    'settings 1',
    'A token of an identity provider has the rights of its mapped groups, without one it has no access, and a tenant claim that is configured must be there.',
  ),
  requirement(
    'I-03',
    'security',
    'Keys of an issuer are fetched ahead and used for 10 minutes after the last good fetch.',
  ),
  requirement('I-04', 'security', 'An unknown key causes one fetch in 5 s at most, and until then nothing is decided.'),
  requirement(
    'I-05',
    'security',
    'Documents of an identity provider are bounded in size and time, come without redirects, and by https or loopback.',
  ),
  requirement(
    'I-06',
    'security',
    'The issuer is compared byte by byte, and its document is found without a doubled slash.',
  ),
  requirement(
    'I-07',
    'protocol 7',
    'A credential that cannot be checked now is HTTP 503 with Retry-After or close 1013, and no failure of its address.',
  ),
  requirement('I-08', 'security', 'Checks of signatures are bounded for each address, and known tokens still pass.'),
  requirement('I-09', 'protocol 7', 'A connection ends with 4001 when its credential ends.'),
  requirement(
    'I-10',
    'administration',
    'What was opened with a credential that is revoked ends, on each replica: connections with 4001, streams over HTTP.',
  ),
  requirement(
    'I-11',
    'security',
    'A newer token with fewer rights ends what an older one of the same person has opened with more.',
  ),
  requirement(
    'I-12',
    'administration',
    'Tokens are made, listed and revoked at run time; the store has digests, each change is in the audit trail, and none has more rights than its maker.',
  ),
  requirement('I-13', 'administration', 'An operator reads whom its credential speaks for and what it may do.'),
  requirement(
    'I-14',
    'settings 1',
    'People sign in by the code flow with PKCE: state, nonce, issuer, audience and signature are checked, and no header decides on an address or a cookie.',
  ),
  requirement(
    'I-15',
    'security',
    'A sign-in is renewed before its rights end, once for all tabs, and its connections stay; fewer rights end them.',
  ),
  requirement(
    'I-16',
    'security',
    'A cookie has a random value alone, counts for connections and changes of pages of the gateway only, and the store cannot use what it opens.',
  ),
  requirement(
    'I-17',
    'settings 1',
    'Signing out, here or at the identity provider, ends all that the sign-in has opened.',
  ),
  requirement(
    'I-18',
    'security',
    'A sign-in that cannot be renewed because its provider cannot be asked goes on for 10 minutes after its end; a refusal ends it at once.',
  ),

  // Audit, logs and backup
  requirement('I-50', 'administration', 'The audit trail is one chain, whatever is changed at once.'),
  requirement('I-51', 'administration', 'The hash of an audit row covers its text exactly as it is stored.'),
  requirement('I-52', 'administration', 'The audit trail verifies after retention, and not after any other removal.'),
  requirement(
    'I-53',
    'administration',
    'Audit rows name people of channels by an ID; after an erasure it means no one, and the trail verifies.',
  ),
  requirement('I-54', 'administration', 'A flood of failed authentications adds a bounded number of audit rows.'),
  requirement(
    'I-55',
    'administration',
    'The audit trail is listed, exported and verified by operators with the scope audit:read, each within its tenant.',
  ),
  requirement(
    'I-56',
    'administration',
    'An export ends with a line that has its number of items and its hash, and is not saved without.',
  ),
  requirement('I-60', 'administration', 'The last 10,000 lines of the logs are in memory, bounded in bytes.'),
  requirement('I-61', 'administration', 'Logs and their levels are for operators of all tenants.'),
  requirement('I-62', 'administration', 'Levels of the logs are changed at once and permanently.'),
  requirement(
    'I-63',
    'administration',
    'Logs are followed by Server-Sent Events: nothing is repeated, and what is missing is said.',
  ),
  requirement(
    'I-64',
    'administration',
    '`openclaw logs --follow` connects again after a restart, marks the gap, and ends when its credential has.',
  ),
  requirement(
    'I-70',
    'administration',
    'A backup has the store, its uploads and a manifest, and restore puts it back.',
  ),
  requirement('I-71', 'administration', 'A backup is consistent while messages are stored.'),
  requirement(
    'I-72',
    'administration',
    'A restore is refused while a gateway runs and for what is not a whole backup, and then changes nothing.',
  ),
  requirement('I-73', 'administration', 'A restored copy sends nothing again that was under way when it was made.'),
];
