import { departuresOf, FlightDeparted } from '../src/flights/flight-departed.js';
import { readFlights } from '../src/flights/flights-file.js';

describe('The departures', () => {
  it('are made of the real records, one event each', async () => {
    const flights = await readFlights(20_000);
    const events = departuresOf(flights);
    expect(events).toHaveLength(20_000);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(20_000);
    expect(events[0]).toMatchObject({
      eventType: 'FlightDeparted',
      aggregateType: 'Airport',
      aggregateId: 'DTW',
      aggregateVersion: 1,
      occurredAt: new Date('2001-01-01T00:47:00Z'),
      data: { destination: 'LAS', delayMinutes: 66, distanceMiles: 1750 },
    });
  });

  it('count the versions of each airport without a gap', async () => {
    const versions = new Map<string, number>();
    for (const { aggregateId, aggregateVersion } of departuresOf(await readFlights(2_000))) {
      expect(aggregateVersion).toBe((versions.get(aggregateId) ?? 0) + 1);
      versions.set(aggregateId, aggregateVersion);
    }
  });

  it('have the same ids in every run', async () => {
    const ids = async (): Promise<string[]> =>
      departuresOf(await readFlights(50)).map(({ eventId }) => eventId);
    expect(await ids()).toEqual(await ids());
  });

  it('are refused by the schema when a field is not what it should be', async () => {
    const check = FlightDeparted.schema?.['~standard'].validate({
      destination: 'LAS',
      delayMinutes: 'late',
      distanceMiles: 1,
    });
    expect(
      (await check)?.issues?.[0]?.path?.map((segment) =>
        typeof segment === 'object' ? segment.key : segment,
      ),
    ).toEqual(['delayMinutes']);
  });
});
