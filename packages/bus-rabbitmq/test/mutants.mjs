/** This bus with one line of settlement or hand-over broken, and the ids of the kit that are to find it. */
export const mutants = [
  {
    name: 'rabbitmq-acks-all',
    defect: 'acknowledges everything up to an event that was handled, though one before it is not',
    caughtBy: ['CC05', 'RT07'],
    changes: [
      {
        file: 'owned-partition.ts',
        find: 'this.ack(deliveryTag, upTo);',
        replace: 'this.ack(deliveryTag, upTo || true);',
      },
    ],
  },
  {
    name: 'rabbitmq-cancels-at-hand-over',
    defect: 'cancels its consumer before it hands over, so that newer events overtake those in hand',
    caughtBy: ['CC04', 'OR06'],
    changes: [
      {
        file: 'partition-slot.ts',
        find: 'await channel.consume(this.queue, (message) => this.arrived(channel, message));',
        replace:
          "await channel.consume(this.queue, (message) => this.arrived(channel, message), { consumerTag: 'mine' });",
      },
      {
        file: 'partition-slot.ts',
        find: 'await owned.handOver(this.host.handOverTimeoutMs);',
        replace: "await channel.cancel('mine'); await owned.handOver(this.host.handOverTimeoutMs);",
      },
    ],
  },
  {
    name: 'rabbitmq-writes-no-journal',
    defect: 'stores no journal, so that attempts are forgotten when a process dies',
    caughtBy: ['RT07', 'PO07'],
    changes: [
      {
        file: 'letter-writer.ts',
        find: 'await this.write(queue, Buffer.from(journal), properties);',
        replace: "await this.write(queue, Buffer.from('{}'), properties);",
      },
    ],
  },
];
