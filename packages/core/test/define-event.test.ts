import { defineEvent, type EventOf, validateData } from '../src/define-event.js';
import type { StandardResult, StandardSchema } from '../src/standard-schema.js';
import { thrownBy } from './sample-event.js';

type Order = { readonly total: number; readonly currency: string };

function schemaOf<T>(
  validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>,
): StandardSchema<unknown, T> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

/** Fills in the currency, as a schema with a default does. */
const orderSchema = schemaOf<Order>((value) => {
  const { total, currency = 'EUR' } = value as Partial<Order>;
  return typeof total === 'number'
    ? { value: { total, currency } }
    : { issues: [{ message: 'not a number', path: ['lines', 0, { key: 'total' }] }, { message: 'x' }] };
});

describe('a definition', () => {
  const OrderPlaced = defineEvent('OrderPlaced', { schema: orderSchema, version: 2, aggregateType: 'Order' });

  it('makes complete, typed events', () => {
    const event: EventOf<typeof OrderPlaced> = OrderPlaced.create({
      aggregateId: 'o-1',
      data: { total: 5, currency: 'EUR' },
    });
    // Only compiles because the type of the schema reaches the event.
    const total: number = event.data.total;
    expect(total).toBe(5);
    expect(event).toMatchObject({
      eventType: 'OrderPlaced',
      eventVersion: 2,
      aggregateType: 'Order',
      aggregateId: 'o-1',
      aggregateVersion: 1,
      metadata: {},
    });
    expect(event.eventId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('lets an event name another type of aggregate, and insists on one', () => {
    expect(
      OrderPlaced.create({ aggregateId: '1', aggregateType: 'Basket', data: { total: 1, currency: 'EUR' } })
        .aggregateType,
    ).toBe('Basket');
    const Bare = defineEvent('Bare');
    expect(Bare.create({ aggregateId: '1', aggregateType: 'A', data: {} })).toMatchObject({
      aggregateType: 'A',
      eventVersion: 1,
    });
    expect(thrownBy(() => Bare.create({ aggregateId: '1', data: {} }))).toMatchObject({
      code: 'VALIDATION',
      message: expect.stringContaining('aggregateType'),
    });
  });

  it.each<[string, number | undefined]>([
    ['', 1],
    ['A', 0],
    ['A', 1.5],
    ['A', Number.NaN],
  ])('of type %j and version %p is refused', (type, version) => {
    expect(thrownBy(() => defineEvent(type, { version: version as number })).code).toBe('CONFIGURATION');
  });
});

describe('validation', () => {
  const definition = defineEvent('OrderPlaced', { schema: orderSchema });

  it('gives what the schema yields', () => {
    expect(validateData(definition, { total: 5 })).toEqual({ total: 5, currency: 'EUR' });
  });

  it('gives the data itself without a schema', () => {
    const data = { anything: 1 };
    expect(validateData(defineEvent('Any'), data)).toBe(data);
  });

  it('names the path of the first problem and counts the others', () => {
    const error = thrownBy(() => validateData(definition, {}));
    expect(error).toMatchObject({
      code: 'VALIDATION',
      retryable: false,
      message: 'OrderPlaced: data.lines[0].total: not a number (and 1 more)',
    });
  });

  it('waits for a schema that is asynchronous', async () => {
    const slow = defineEvent('Slow', {
      schema: schemaOf<Order>(async (value) => orderSchema['~standard'].validate(value)),
    });
    await expect(validateData(slow, { total: 1 })).resolves.toEqual({ total: 1, currency: 'EUR' });
    await expect(validateData(slow, {})).rejects.toMatchObject({ code: 'VALIDATION' });
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new TypeError('bug');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('bug'))],
  ])('has the code VALIDATION when the schema itself %s', async (_, validate) => {
    const broken = defineEvent('Broken', { schema: schemaOf<Order>(validate) });
    const outcome = (async () => validateData(broken, {}))();
    await expect(outcome).rejects.toMatchObject({
      code: 'VALIDATION',
      message: expect.stringContaining('bug'),
      cause: expect.any(TypeError),
    });
  });

  it('refuses what is no object, whatever the schema says', () => {
    const texts = { ...definition, schema: schemaOf<string>(() => ({ value: 'x' })) };
    expect(thrownBy(() => validateData(texts, {}))).toMatchObject({
      code: 'VALIDATION',
      message: expect.stringContaining('object'),
    });
    expect(
      thrownBy(() => validateData({ ...definition, schema: schemaOf<Order>(() => ({ issues: [] })) }, {}))
        .code,
    ).toBe('VALIDATION');
  });
});
