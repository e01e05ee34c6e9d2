import type {
  AssignedPartition,
  HeaderValue,
  InboundRecord,
  OutboundRecord,
  PartitionPort,
  Transport,
} from '@omnibus/core/transport';

import { type Mutant, withChanges } from './mutant.js';

const POLL_MS = 100;
const ONE_IN = 1_000;

/** A transport whose sends are changed on their way. */
function sending(
  transport: Transport,
  change: (records: readonly OutboundRecord[]) => readonly OutboundRecord[],
): Transport {
  return withChanges(transport, { send: (records) => transport.send(change(records)) });
}

/** A transport whose records are renamed, cut or enriched on their way. */
function sendingHeaders(
  transport: Transport,
  change: (name: string, value: HeaderValue) => readonly [string, HeaderValue] | undefined,
): Transport {
  return sending(transport, (records) =>
    records.map((record) => ({
      ...record,
      headers: Object.fromEntries(
        Object.entries(record.headers)
          .flatMap(([name, value]) => [change(name, value) ?? []])
          .filter((pair) => pair.length > 0),
      ),
    })),
  );
}

/** A transport between whose partitions and the engine something happens. */
function consuming(
  transport: Transport,
  change: {
    readonly port?: (port: PartitionPort) => PartitionPort;
    readonly deliver?: (
      records: readonly InboundRecord[],
      next: AssignedPartition['deliver'],
      port: PartitionPort,
    ) => void;
  },
): Transport {
  return withChanges(transport, {
    consume: (spec, sink) =>
      transport.consume(spec, {
        assign(partition, port) {
          const assigned = sink.assign(partition, change.port?.(port) ?? port);
          const { deliver } = change;
          if (!deliver) return assigned;
          return withChanges(assigned, {
            deliver: (records) => deliver(records, (through) => assigned.deliver(through), port),
          });
        },
      }),
  });
}

const leakedTimers: NodeJS.Timeout[] = [];

/** Defects of transports. */
export const TRANSPORT_MUTANTS: readonly Mutant[] = [
  {
    name: 'acks-before-the-handler',
    defect: 'settles records when they are delivered, not when they are handled',
    caughtBy: ['DL06', 'ST03', 'LC03'],
    mutate: () => ({
      transport: (healthy) =>
        consuming(healthy, {
          deliver(records, next, port) {
            port.settled({ records, watermark: records.at(-1), journal: '' });
            next(records);
          },
        }),
    }),
  },
  {
    name: 'drops-one-in-a-thousand',
    defect: 'confirms every thousandth record without storing it',
    caughtBy: ['CT09'],
    mutate: () => {
      let sent = 0;
      return {
        transport: (healthy) =>
          sending(healthy, (records) =>
            records.filter(() => {
              sent += 1;
              return sent % ONE_IN !== 0;
            }),
          ),
      };
    },
  },
  {
    name: 'sends-one-in-a-thousand-twice',
    defect: 'stores every thousandth record twice',
    caughtBy: ['CT09', 'LD01'],
    mutate: () => {
      let sent = 0;
      return {
        transport: (healthy) =>
          sending(healthy, (records) =>
            records.flatMap((record) => {
              sent += 1;
              return sent % ONE_IN === 0 ? [record, record] : [record];
            }),
          ),
      };
    },
  },
  {
    name: 'dedupes-silently',
    defect: 'settles an event that it has seen before without handling it',
    caughtBy: ['DL04', 'LC03'],
    mutate: () => {
      const seen = new Set<string>();
      return {
        transport: (healthy) => {
          const group = new Map<PartitionPort, string>();
          return consuming(healthy, {
            deliver(records, next, port) {
              const fresh = records.filter((record) => {
                const id = `${group.get(port) ?? ''}${Buffer.from(record.value ?? []).toString()}`;
                if (seen.has(id)) return false;
                seen.add(id);
                return true;
              });
              const known = records.filter((record) => !fresh.includes(record));
              if (known.length > 0) port.settled({ records: known, watermark: known.at(-1), journal: '' });
              if (fresh.length > 0) next(fresh);
            },
          });
        },
      };
    },
  },
  {
    name: 'swallows-a-dead-letter-failure',
    defect: 'takes a dead letter for written that the broker refused',
    caughtBy: ['DL06'],
    mutate: () => ({
      transport: (healthy) =>
        consuming(healthy, {
          port: (port) =>
            withChanges(port, {
              deadLetter: (source, letter) => port.deadLetter(source, letter).catch(() => {}),
            }),
        }),
    }),
  },
  {
    name: 'changes-the-bytes-of-a-dead-letter',
    defect: 'writes the body of a dead letter anew instead of keeping it',
    caughtBy: ['PO01'],
    mutate: () => ({
      transport: (healthy) =>
        consuming(healthy, {
          port: (port) =>
            withChanges(port, {
              deadLetter: (source, letter) =>
                port.deadLetter(source, {
                  ...letter,
                  value: Buffer.from(Buffer.from(letter.value).toString()),
                }),
            }),
        }),
    }),
  },
  {
    name: 'replays-to-every-group',
    defect: 'gives a dead letter back without naming the group that it is for',
    caughtBy: ['DL04'],
    mutate: () => ({
      transport: (healthy) =>
        withChanges(healthy, {
          deadLetters: withChanges(healthy.deadLetters, {
            replay: (letter, group, record) => {
              const { target_group: _, ...headers } = record.headers;
              return healthy.deadLetters.replay(letter, group, { ...record, headers });
            },
          }),
        }),
    }),
  },
  {
    name: 'leaks-a-timer',
    defect: 'leaves a timer running when it is closed',
    caughtBy: ['LC04'],
    mutate: () => ({
      transport: (healthy) =>
        withChanges(healthy, {
          close: () => {
            leakedTimers.push(setInterval(() => {}, 60_000));
            return healthy.close();
          },
        }),
    }),
    dispose: () => {
      for (const timer of leakedTimers.splice(0)) clearInterval(timer);
    },
  },
  {
    name: 'forgets-the-journal',
    defect: 'stores no journal, so that attempts are forgotten when a process dies',
    caughtBy: ['RT07'],
    mutate: () => ({
      transport: (healthy) =>
        consuming(healthy, { port: (port) => withChanges(port, { saveJournal: () => Promise.resolve() }) }),
    }),
  },
  {
    name: 'polls-every-100-ms',
    defect: 'looks for records ten times a second instead of being told',
    caughtBy: ['LD05'],
    mutate: () => ({
      transport: (healthy) =>
        consuming(healthy, {
          deliver: (records, next) => {
            setTimeout(() => next(records), POLL_MS - (Date.now() % POLL_MS));
          },
        }),
    }),
  },
  {
    name: 'drops-a-header',
    defect: 'keeps only the headers that it knows',
    caughtBy: ['CT01', 'DL02'],
    mutate: () => ({
      transport: (healthy) =>
        sendingHeaders(healthy, (name, value) => (name.startsWith('X-') ? undefined : [name, value])),
    }),
  },
  {
    name: 'loses-the-case-of-headers',
    defect: 'writes the names of headers in lower case',
    caughtBy: ['CT01', 'PL07'],
    mutate: () => ({
      transport: (healthy) => sendingHeaders(healthy, (name, value) => [name.toLowerCase(), value]),
    }),
  },
  {
    name: 'drops-the-trace-context',
    defect: 'sends no traceparent',
    caughtBy: ['TR01'],
    mutate: () => ({
      transport: (healthy) =>
        sendingHeaders(healthy, (name, value) => (name === 'traceparent' ? undefined : [name, value])),
    }),
  },
  {
    name: 'resolves-before-acceptance',
    defect: 'confirms a publish that the broker has not answered yet',
    caughtBy: ['CT02'],
    mutate: () => ({
      transport: (healthy) =>
        withChanges(healthy, {
          send: (records) => {
            void healthy.send(records);
            return Promise.resolve({ failures: [] });
          },
        }),
    }),
  },
  {
    name: 'groups-stand-in-one-line',
    defect: 'gives a group nothing before the others have settled what came before',
    caughtBy: ['FG02'],
    mutate: () => {
      const lines = new Map<string, Promise<void>>();
      return {
        transport: (healthy) => {
          const open = new Map<PartitionPort, { left: number; readonly done: () => void }>();
          return consuming(healthy, {
            port: (port) =>
              withChanges(port, {
                settled(batch) {
                  port.settled(batch);
                  const turn = open.get(port);
                  if (!turn) return;
                  turn.left -= batch.records.length;
                  if (turn.left <= 0) turn.done();
                },
              }),
            deliver(records, next, port) {
              const turn = async (): Promise<void> => {
                await new Promise<void>((done) => {
                  open.set(port, { left: records.length, done });
                  next(records);
                });
              };
              const before = lines.get(healthy.destination) ?? Promise.resolve();
              lines.set(healthy.destination, before.then(turn));
            },
          });
        },
      };
    },
  },
  {
    name: 'hides-a-gap-in-history',
    defect: 'never says that a replay starts after what was asked for',
    caughtBy: ['RP04'],
    mutate: () => ({
      transport: (healthy) => {
        const { history } = healthy;
        if (!history) return healthy;
        return withChanges(healthy, {
          history: { open: async (query) => ({ ...(await history.open(query)), truncated: false }) },
        });
      },
    }),
  },
  {
    name: 'takes-an-outage-for-a-confirmation',
    defect: 'confirms what it sent to a broker that was gone',
    caughtBy: ['FA02'],
    mutate: () => ({
      transport: (healthy) =>
        withChanges(healthy, { send: (records) => healthy.send(records).then(() => ({ failures: [] })) }),
    }),
  },
  {
    name: 'tells-one-trouble-many-times',
    defect: 'tells of a removed stream once for each of its partitions',
    caughtBy: ['FA10'],
    mutate: () => ({
      transport: (healthy) =>
        withChanges(healthy, {
          open: (events) =>
            healthy.open({
              ...events,
              error: (error) => {
                for (let partition = 0; partition < healthy.partitions; partition += 1) events.error(error);
              },
            }),
        }),
    }),
  },
  {
    name: 'does-not-come-back',
    defect: 'stops consuming when its partitions were taken from it',
    caughtBy: ['FA10'],
    mutate: () => ({
      transport: (healthy) =>
        withChanges(healthy, {
          consume: (spec, sink) => {
            let wasLost = false;
            return healthy.consume(spec, {
              assign: (partition, port) => {
                const assigned = sink.assign(partition, port);
                if (wasLost) assigned.lost();
                return withChanges(assigned, {
                  lost: () => {
                    wasLost = true;
                    assigned.lost();
                  },
                });
              },
            });
          },
        }),
    }),
  },
];
