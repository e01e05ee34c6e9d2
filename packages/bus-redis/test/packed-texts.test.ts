import { packTexts } from '../src/packed-texts.js';
import { Script } from '../src/script.js';
import { Opener } from './support/redis.js';

const opener = new Opener();
afterEach(() => opener.close());

/** Gives back what it was given, as the server has it. */
const unpacked = new Script('return cmsgpack.unpack(ARGV[1])');

test('the server takes texts apart again: short, long, of several bytes a character, bytes, numbers, none', async () => {
  const lists = [
    [
      '',
      'a',
      'x'.repeat(40),
      'x'.repeat(41),
      'é'.repeat(20),
      '日本語',
      '🚌'.repeat(30),
      `${'x'.repeat(39)}é`,
    ],
    [],
    [Buffer.from([0, 0xff, 0xc3, 0x28]), Buffer.alloc(70_000, 0xfe), 7, 1_234_567_890_123],
    Array.from({ length: 300 }, (_, i) => `name-${i}`),
  ];
  const answer = (await unpacked.run(opener.client(), [], [packTexts(lists)])) as Buffer[][];
  expect(answer).toEqual(
    lists.map((list) => list.map((text) => (Buffer.isBuffer(text) ? text : Buffer.from(String(text))))),
  );
});

test('no list at all', async () => {
  expect(await unpacked.run(opener.client(), [], [packTexts([])])).toEqual([]);
});
