import type { Random } from '../random.js';

const NAMES = [
  '"__proto__"',
  '"constructor"',
  '"prototype"',
  '"toString"',
  '"hasOwnProperty"',
  '"toJSON"',
  '"then"',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u005f_proto__"',
  '"Event_Id"',
  '"data"',
  '"0"',
];
const TEXTS = [
  '""',
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"\\u0000\\r\\n"',
  '"2026-02-30T00:00:00Z"',
  '"2026-01-02T03:04:05"',
  '"0000-01-01T00:00:00Z"',
  '"9999-12-31T23:59:59.999999999999999999-23:59"',
  '"2026-01-02T03:04:05.Z"',
  '"1e309"',
];
const NUMBERS = [
  '0',
  '-0',
  '1e400',
  '-1e400',
  '1.7976931348623157e308',
  '5e-324',
  '9007199254740993',
  '-9007199254740993',
  '1.0',
  '0.1e1',
  '01',
  '+1',
  'NaN',
  'Infinity',
  '0x10',
];
const OTHERS = ['null', 'true', 'false', 'undefined', '{}', '[]', '[[]]', '{"a":{"b":[1,{"c":null}]}}'];
const POLLUTING = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '[{"__proto__":["polluted"]}]',
  '{"__proto__":null,"__proto__":{"polluted":1}}',
  '{"toJSON":1,"then":2,"length":-1}',
];

type Field = [name: string, value: string];

/** JSON texts, not values: only so can a name stand twice, or a number be no number. */
export function hostileJson(random: Random, body: string): string {
  const fields = fieldsOf(body);
  for (let changes = 1 + random.upTo(3); changes > 0; changes -= 1) change(random, fields);
  const text = fields.map(([name, value]) => `${name}:${value}`).join(random.oneIn(20) ? ' ,\n' : ',');
  return random.oneIn(30) ? hostileValue(random) : `{${text}}`;
}

function fieldsOf(body: string): Field[] {
  return Object.entries(JSON.parse(body) as object).map(([name, value]) => [
    JSON.stringify(name),
    JSON.stringify(value),
  ]);
}

function change(random: Random, fields: Field[]): void {
  const at = random.upTo(fields.length - 1);
  const field = fields[at];
  switch (random.upTo(5)) {
    case 0:
      fields.splice(at, 1);
      break;
    case 1:
      if (field) field[0] = hostileName(random);
      break;
    case 2:
      fields.splice(at, 0, [hostileName(random), hostileValue(random)]);
      break;
    case 3:
      if (field) fields.push([field[0], hostileValue(random)]);
      break;
    default:
      if (field) field[1] = hostileValue(random);
  }
}

function hostileName(random: Random): string {
  return random.oneIn(20) ? JSON.stringify('n'.repeat(random.upTo(2_000))) : random.pick(NAMES);
}

function hostileValue(random: Random): string {
  switch (random.upTo(9)) {
    case 0:
    case 1:
      return random.pick(TEXTS);
    case 2:
    case 3:
      return random.pick(NUMBERS);
    case 4:
    case 5:
      return random.pick(OTHERS);
    case 6:
      return random.pick(POLLUTING);
    case 7:
      return `${random.oneIn(2) ? '-' : ''}${'123456789'.repeat(1 + random.upTo(40))}`;
    case 8:
      return nested(random, random.oneIn(100) ? 20_000 : random.oneIn(2) ? 120 : 90);
    default:
      return `"${'x'.repeat(random.upTo(3_000))}"`;
  }
}

function nested(random: Random, most: number): string {
  const depth = random.upTo(most);
  const [open, close] = random.oneIn(2) ? ['[', ']'] : ['{"a":', '}'];
  // Sometimes it does not end.
  return open.repeat(depth) + random.pick(NUMBERS) + close.repeat(random.oneIn(10) ? depth >> 1 : depth);
}
