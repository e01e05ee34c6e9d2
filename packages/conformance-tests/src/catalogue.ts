/**
 * Every id of the suite, as data: what reports list, what documentation points at, and what test titles start with.
 * Ids are stable. More cases may be added under an id and more ids may follow; none is dropped or loosened.
 */

/** L1 core, L2 delivery, L3 operation, L4 faults and load. */
export type Level = 1 | 2 | 3 | 4;

/** A group of ids about one subject. */
export interface Area {
  /** Two letters: the ids of the area start with them. */
  readonly name: string;
  readonly title: string;
  readonly level: Level;
}

/** One guarantee, and how it is seen to hold. */
export interface CatalogueEntry {
  readonly id: string;
  readonly area: string;
  readonly level: Level;
  readonly title: string;
  /**
   * What is done and what must be seen, on the in-memory bus (M), Kafka (K), Redis (R) and RabbitMQ (Q) alike. Brackets
   * name what the id needs from the broker or the subject; −M marks what a bus inside the process cannot show.
   */
  readonly text: string;
}

/** The areas, by level. */
export const AREAS: readonly Area[] = [
  { name: 'CT', title: 'contract', level: 1 },
  { name: 'SU', title: 'subscription', level: 1 },
  { name: 'PL', title: 'payloads', level: 1 },
  { name: 'CF', title: 'configuration', level: 1 },
  { name: 'OR', title: 'ordering', level: 2 },
  { name: 'CC', title: 'competing consumers', level: 2 },
  { name: 'FG', title: 'fan-out groups', level: 2 },
  { name: 'RT', title: 'retries', level: 2 },
  { name: 'DL', title: 'dead letters', level: 2 },
  { name: 'RP', title: 'replay', level: 2 },
  { name: 'PO', title: 'poison', level: 2 },
  { name: 'TR', title: 'tracing', level: 3 },
  { name: 'ST', title: 'stats and health', level: 3 },
  { name: 'LC', title: 'lifecycle and drain', level: 3 },
  { name: 'SE', title: 'security', level: 3 },
  { name: 'FA', title: 'faults', level: 4 },
  { name: 'LD', title: 'load', level: 4 },
];

const TEXTS: readonly (readonly [id: string, title: string, text: string])[] = [
  ['CT01', 'round trip', 'one publish, one delivery; id, type, key, headers, timestamp, data deep-equal.'],
  [
    'CT02',
    'confirmed publish',
    'with broker paused `publish` stays pending; it resolves only after resume, and every resolved publish is delivered. [faults]',
  ],
  ['CT03', 'empty batch', '`publish([])` resolves; 0 deliveries, 0 broker records, stats unchanged.'],
  ['CT04', 'batch', '500 events over 10 keys in one call: all once, order per key kept.'],
  [
    'CT05',
    'partial batch failure',
    'one oversize event among 10: error lists exactly its index/id; the other 9 delivered once or none at all, as declared by `batchAtomic`; never a silent subset.',
  ],
  [
    'CT06',
    'fire-and-forget',
    '`{background: true}` returns <10 ms while broker is paused; event arrives after resume; if it cannot, one `error` status and one count in stats (never silent); more than `maxBackgroundPublishes` in flight: the call waits inline, nothing is dropped and a publish from inside a handler does not deadlock.',
  ],
  [
    'CT07',
    'unserialisable (cycle, function, BigInt without codec)',
    'rejects SerializationError with the path; broker untouched; next publish works.',
  ],
  [
    'CT08',
    'isolation of objects',
    'mutation by a handler is not seen by sibling handlers or on redelivery; mutation by the publisher after `publish()` is not seen by anyone.',
  ],
  ['CT09', '50 concurrent publishers × 100', '5 000 delivered once, order within each publisher+key kept.'],
  [
    'CT10',
    'typed errors',
    'every rejection is a BusError with stable `code`, `retryable`, `cause`; same scenario gives the same code on M,R,Q,K; 0 unhandledRejection in the whole run.',
  ],
  ['SU01', 'type filter', 'subscriber of A gets all A, 0 B.'],
  ['SU02', 'wildcard', '3 types × 10, one catch-all handler: 30 deliveries, order per key.'],
  [
    'SU03',
    'two handlers, one type',
    'each invoked once; the same function registered twice is invoked twice, and `unsubscribe` removes one registration (the first).',
  ],
  ['SU04', 'error isolation', 'H1 throws, H2 of the same event still runs in the same delivery.'],
  [
    'SU05',
    'unsubscribe',
    'returns true, 0 invocations start after it resolves; unknown → false; works from inside the handler itself.',
  ],
  [
    'SU06',
    'dynamic',
    'subscribe after start, and from within a handler, receives events published after it resolves.',
  ],
  [
    'SU07',
    're-entrancy',
    'publish-and-await inside a handler with concurrency 1 never deadlocks; a chain of depth 100 completes.',
  ],
  [
    'SU08',
    'namespaces',
    'two namespaces on one broker with equal types, groups and keys: 0 leaks either way.',
  ],
  ['PL01', 'falsy and edge JSON', 'null, false, 0, "", [], {} survive (no dropped falsy).'],
  [
    'PL02',
    'Unicode',
    'astral, ZWJ emoji, RTL, combining, NUL, lone surrogates (documented rule) in data, type, key, header values, DLQ fields.',
  ],
  ['PL03', 'binary', 'all 256 byte values, 0 B to 64 KiB, byte-identical, contentType kept.'],
  [
    'PL04',
    'sizes',
    '1 KiB, 64 KiB, 1 MiB−overhead round trip; oversize → PayloadTooLargeError, connection usable, next event delivered.',
  ],
  [
    'PL05',
    'numbers/dates',
    'MAX_SAFE_INTEGER, 5e-324, −0, Date, BigInt codec; NaN/Infinity rejected or coded; never changed silently.',
  ],
  [
    'PL06',
    'property test',
    '1 000 generated events: decoded value identical on all backends and equal to the input under the codec.',
  ],
  [
    'PL07',
    'headers',
    '50 × 1 KiB, case kept, non-string values by one rule; reserved names and CR/LF rejected.',
  ],
  [
    'PL08',
    'wire compatibility',
    'fixtures written by every released version decode now; CloudEvents binary+structured scenarios (official Kafka feature file; AMQP prefixes `_` and `:`) pass.',
  ],
  [
    'CF01',
    'invalid options',
    'unknown option → error with path and suggestion; bad type, negative, NaN, out of range → error with path and range, before any connection.',
  ],
  [
    'CF02',
    'contradictions',
    'contradictions rejected (lease < handlerTimeout, prefetch < concurrency, retries without DLQ policy); config object copied.',
  ],
  [
    'CF03',
    'safe defaults proven on the broker',
    '`inspect.settings()`: acks=all+idempotent, durable queue + persistent + confirms, group created not at `$`, auto-commit off.',
  ],
  [
    'CF04',
    'existing topology differs',
    'existing topology differs (queue args, fewer partitions) → ConfigMismatchError naming the difference; nothing deleted.',
  ],
  [
    'CF05',
    'truthful capabilities',
    "each false capability's API throws UnsupportedError; each true one had ≥1 executed test; missing peer client → error naming the package.",
  ],
  ['OR01', 'one consumer', '20 keys × 100 interleaved: seq strictly increasing per key, no gaps.'],
  [
    'OR02',
    'competing',
    '3 consumers, ≥6 partitions/shards: after dedupe strictly increasing per key. [competing]',
  ],
  [
    'OR03',
    'handler concurrency 8 with random 0–20 ms work',
    'per-key order and never two events of one key in flight together.',
  ],
  ['OR04', 'independence', 'key A blocked 2 s delays events of other keys by <200 ms.'],
  [
    'OR05',
    'ordered retry',
    'k fails twice then succeeds: k+1 of that key is not delivered before k settles. [orderedRetry; if false the docs flag is asserted]',
  ],
  [
    'OR06',
    'rebalance',
    'one consumer joins and one leaves mid-stream: per-key order after dedupe, no skips.',
  ],
  [
    'OR07',
    'publisher reconnect',
    'connection cut with unconfirmed sends: no inversion, duplicates only of unconfirmed ones. [faults]',
  ],
  ['CC01', 'partition of work', '3 consumers, 300 events: union complete, pairwise disjoint.'],
  ['CC02', 'balance', 'equal handlers: each gets ≥10 % of 300 spread over ≥30 keys.'],
  ['CC03', 'slow member', 'one consumer 20× slower, prefetch 1: total time ≤2× of the run without it.'],
  [
    'CC04',
    'join and graceful leave under load',
    '0 lost, 0 duplicates on leave; newcomer gets work ≤ budget.',
  ],
  [
    'CC05',
    'crash',
    'SIGKILL of a child-process consumer: its un-acked events reach others ≤ takeover budget, duplicates ≤ its prefetch; acked ones never again. −M (lease expiry instead)',
  ],
  [
    'CC06',
    'stress',
    '50 subscribers × 5 000 events, suite run in 5 parallel namespaces: lost = duplicate = 0.',
  ],
  ['FG01', '3 groups × 3 consumers', 'each group gets all N once.'],
  ['FG02', 'independence', "group A failing or stopped: B's p99 latency ≤2× baseline."],
  [
    'FG03',
    'retry confinement',
    "A fails 3 times, B succeeds: B's deliveries = N exactly; A's attempts as configured.",
  ],
  [
    'FG04',
    'offline group',
    'group stopped, 100 published, restarted with a new process: gets exactly those 100. [durable]',
  ],
  [
    'FG05',
    'start position',
    'new group `latest` gets only later events; `earliest` gets all retained; `ensureGroup()` before any consumer keeps events published meanwhile.',
  ],
  [
    'FG06',
    'ephemeral group',
    'each anonymous subscriber gets a copy; its broker artifacts are gone ≤ 5 s after close (inspect).',
  ],
  ['RT01', 'fail once then succeed', '2 invocations, `ctx.attempt` 1 then 2, acked once.'],
  ['RT02', '`maxRetries` n', 'exactly n + 1 invocations for n = 0, 1, 4, then dead letter.'],
  [
    'RT03',
    'backoff',
    'observed gaps within [policy, policy+150 ms], cap honoured, jitter in range, fake clock on M.',
  ],
  ['RT04', 'waiting does not block', 'one event in 3 s backoff; 50 others of other keys done <1 s.'],
  [
    'RT05',
    'only the failing handler reruns',
    'H1 ok, H2 fails twice, same group: H1 invoked once, H2 three times (across a broker redelivery: at most once more, declared).',
  ],
  [
    'RT06',
    'non-retryable error',
    'non-retryable error → dead letter after 1 attempt; predicate and class forms.',
  ],
  [
    'RT07',
    'attempts survive a restart',
    'process killed after attempt 2 of 5: at most 6 invocations in all, then dead letter. [durable]',
  ],
  [
    'RT08',
    'handler timeout',
    'over `handlerTimeout`: AbortSignal fires, counts as failure, slot freed, late resolve ignored.',
  ],
  [
    'RT09',
    'any throwable',
    'undefined, string, null, frozen object, sync throw, rejected promise: same path, readable reason.',
  ],
  ['DL01', 'exhausted retries', 'exhausted → exactly one DLQ entry, main acked, next event flows.'],
  [
    'DL02',
    'fidelity',
    'bytes, id, type, key, user headers identical; plus error name+message, attempts, group, handler, first/last failure time, source.',
  ],
  [
    'DL03',
    'list/count',
    'non-destructive, oldest first, cursor paging over 250 entries without gaps or repeats, count = length. [dlqAdmin]',
  ],
  [
    'DL04',
    'replay',
    'processed once by the failing group only, id/headers/trace kept, attempts reset, replayCount+1, entry gone; maxReplays guard raises, force passes.',
  ],
  ['DL05', 'purge/filter', 'by group, type, age; returns the number; others untouched.'],
  [
    'DL06',
    'DLQ write fails',
    'DLQ topology removed or broker refuses: original stays un-acked and is dead-lettered after healing; lost = 0. [faults]',
  ],
  [
    'DL07',
    'DLQ disabled',
    'policy `drop` (counted + hook) or `halt`; never silent, never infinite hot loop (≤ policy rate).',
  ],
  [
    'DL08',
    'concurrent replay by two admins',
    'the event is processed once, or twice at most with the duplicate flagged; no error escapes.',
  ],
  ['RP01', 'from the beginning', 'all retained, in order, flagged `ctx.replay`.'],
  ['RP02', 'from position/time and bounded `until`', 'exactly the range; promise resolves with the count.'],
  ['RP03', 'no side effect', "live groups' positions and backlog unchanged by a replay."],
  [
    'RP04',
    'trimmed range',
    'asks before the oldest retained: typed error or `truncated:true`, never a silent gap. Capability off → UnsupportedError.',
  ],
  [
    'PO01',
    'not JSON',
    'not JSON → DLQ reason `deserialization`, 0 retries, raw bytes recoverable byte for byte.',
  ],
  ['PO02', 'schema-invalid', 'schema-invalid → DLQ reason `validation` with path; handlers not called.'],
  [
    'PO03',
    "missing type/id header, foreign producer's message → DLQ (or declared raw codec); never dropped, never stalls",
    '',
  ],
  [
    'PO04',
    'unknown type',
    'same configured policy (dlq | skip counted | leave for others) on every backend; in a rolling deploy a newer consumer in the group still gets it under `leave`.',
  ],
  [
    'PO05',
    'head of line',
    'poison first, 100 good behind in the same partition/queue: 100 processed ≤ deliver budget.',
  ],
  [
    'PO06',
    'hostile JSON',
    '`__proto__`, 10 000 nested arrays, 1e5 keys, malformed traceparent, attempt="abc": no pollution, crash or stall. Events above `maxEventBytes`, thousands of headers, forged replays and dead letters: nobody else loses anything, and it is told in one line.',
  ],
  [
    'PO07',
    'crash loop',
    'event whose handler kills the process: after `maxRetries + 1` process deaths it is in the DLQ and the group proceeds. −M',
  ],
  [
    'TR01',
    "consumer span in the producer's trace (parent or link as in OTel messaging semconv), on every backend incl. Redis",
    '',
  ],
  ['TR02', 'names, kinds, attributes equal a golden snapshot after normalising backend values', ''],
  ['TR03', 'each attempt its own span, ERROR status + exception on failures', ''],
  ['TR04', 'trace kept through DLQ and replay; baggage and tracestate too', ''],
  [
    'TR05',
    'handler publish is child of its process span (A→B→C one trace); batch keeps one context per event',
    '',
  ],
  [
    'TR06',
    'no SDK → no headers added; user headers never overwritten; invalid traceparent → new root, event still handled',
    '',
  ],
  [
    'ST01',
    'conservation',
    'per group: ok + dead + dropped + pending = published, at any quiescent point, under 10 % failures.',
  ],
  [
    'ST02',
    'exact counters',
    "retries, failures, redeliveries equal the recorder's; same keys and JSON shape on all backends.",
  ],
  ['ST03', 'lag', 'paused consumer + 100 publishes → lag 100 → 0 after resume (broker truth agrees).'],
  ['ST04', 'in-flight ≤ prefetch always, 0 at idle', ''],
  [
    'ST05',
    'health',
    'up → broker stopped: unhealthy ≤5 s with reason, never throws → up again after restart. [faults]',
  ],
  [
    'ST06',
    'events connected/disconnected/reconnected once per transition; 1 000 distinct keys add 0 metric label values',
    '',
  ],
  [
    'LC01',
    '10 parallel start() → one connection; 10 parallel close() all resolve; stop-before-start and start→stop ×20 work with no listener growth',
    '',
  ],
  ['LC02', 'drain', 'close() waits for a 500 ms handler, acks it; restart sees 0 redeliveries.'],
  [
    'LC03',
    'drain timeout',
    'stuck handler: close resolves ≤ timeout+300 ms; the event is redelivered elsewhere; no handler starts after close resolved.',
  ],
  [
    'LC04',
    'no leaks',
    'after close: child process exits by itself ≤1 s; sockets/timers at baseline; broker connections, channels, consumers, temp queues at baseline.',
  ],
  [
    'LC05',
    'dead broker',
    'connect rejects ConnectError within connectTimeout; close() during connect or backoff resolves ≤1 s.',
  ],
  [
    'LC06',
    'after close',
    'publish rejects BusClosedError ≤100 ms; un-awaited publishes before close are all flushed or rejected, none left pending.',
  ],
  ['LC07', 'SIGTERM under load', 'child exits 0 within grace; history lost = duplicate = 0. −M'],
  [
    'LC08',
    'pause/resume and ownership',
    'pause: 0 deliveries, membership kept, 0 lost; closing a bus leaves other buses and user-supplied clients alive; `await using` works.',
  ],
  [
    'SE01',
    'TLS',
    'accepts the CA; rejects unknown CA, expired cert, wrong host name: TlsError; mTLS with and without client cert.',
  ],
  [
    'SE02',
    'bad credentials',
    'AuthError ≤2 s, ≤3 attempts, fatal by default; revoked while running → fatal state, no tight loop.',
  ],
  ['SE03', 'missing permission on one topic', 'AuthorizationError there; others keep working.'],
  ['SE04', 'secrets', 'canary password in none of: logs, errors, stats, spans, `util.inspect(bus)`.'],
  [
    'SE05',
    'hostile names',
    'type/key/group with `*`, `#`, `:`, newline, glob or template characters are literal (no wider routing, no key collision) or rejected; log lines stay single.',
  ],
  [
    'FA01',
    'broker restart at 1/3 and 2/3 of 10 000 events with retrying publishers: lost = unexpected = aborted = 0; consumption resumes ≤ recover budget',
    '',
  ],
  ['FA02', 'broker SIGKILL with declared durability settings', 'confirmed events lost = 0.'],
  ['FA03', 'RST of publisher and consumer connections', 'every outstanding publish settles; no hang.'],
  [
    'FA04',
    'half-open (no FIN) and broker SIGSTOP 15 s',
    'detected ≤ 2×heartbeat+1 s; consumption resumes without restart.',
  ],
  ['FA05', 'slow link 200 ms / 64 kB/s', 'all delivered, 0 false reconnects.'],
  [
    'FA06',
    'flapping 20 cuts in 10 s',
    'ends healthy, one connection, connect attempts ≤ backoff allows, no timer or listener growth.',
  ],
  [
    'FA07',
    'broker down at start',
    'start keeps trying (or rejects, as configured) and then consumes; publish buffer capped: BackpressureError, RSS +<50 MB.',
  ],
  [
    'FA08',
    'ack lost (cut between handler end and ack)',
    'one redelivery marked `redelivered`, attempt+1; no loss.',
  ],
  [
    'FA09',
    'frozen consumer (event loop blocked > session/lease)',
    'others take over; on thaw its stale acks are refused (no loss, no double success recorded); and a handler longer than the lease but alive is not redelivered (lease renewed).',
  ],
  [
    'FA10',
    'topology removed (stream, group, queue, topic)',
    'recreated ≤ recover budget, one error event, ≤10 errors/s.',
  ],
  [
    'FA11',
    'random nemesis 60 s (cut, delay, pause, kill consumer, restart) with printed seed — checker clean; the same seed reproduces the schedule',
    '',
  ],
  [
    'LD01',
    '10 000 × 1 KiB, 1 publisher/1 consumer',
    "lost = duplicate = 0, ≥70 % of the raw client's rate with equal durability in the same run.",
  ],
  ['LD02', 'backpressure', 'handler 100× slower than publisher: in-flight ≤ prefetch, heap growth <50 MB.'],
  ['LD03', 'concurrency cap', 'max simultaneous handlers = configured, reached under load.'],
  [
    'LD04',
    'soak 5 min',
    'last-minute p99 ≤1.5× first; heap slope <1 MB/min; broker storage bounded (R length ≤1.1×maxlen, PEL 0; Q 0; K lag 0).',
  ],
  ['LD05', 'latency', 'idle end-to-end p50 ≤10 ms (R,Q), ≤25 ms (K), ≤1 ms (M): no polling quantum.'],
  ['LD06', 'idle cost', 'idle consumer <1 % CPU, ≤5 broker commands/s.'],
];

function entryOf(id: string, title: string, text: string): CatalogueEntry {
  const area = AREAS.find((candidate) => id.startsWith(candidate.name));
  if (!area) throw new Error(`${id} belongs to no area`);
  return Object.freeze({ id, area: area.name, level: area.level, title, text });
}

/** All ids, by level and area. */
export const CATALOGUE: readonly CatalogueEntry[] = TEXTS.map(([id, title, text]) =>
  entryOf(id, title, text),
);

const BY_ID: ReadonlyMap<string, CatalogueEntry> = new Map(CATALOGUE.map((entry) => [entry.id, entry]));

/** The entry of an id. Throws for an id that the catalogue does not know. */
export function catalogueEntry(id: string): CatalogueEntry {
  const entry = BY_ID.get(id);
  if (!entry) throw new Error(`The catalogue knows no id ${id}`);
  return entry;
}
