import fc from 'fast-check';
import { fingerprint, fingerprintOf, hash } from '../../events';
import { canonical, isWithin } from '../../events/fingerprint';

describe('the canonical text of a value', () => {
  it('does not tell in which order its fields were written', () => {
    expect(canonical({ b: 1, a: { d: 2, c: 3 } })).toBe('{"a":{"c":3,"d":2},"b":1}');
  });

  it('keeps the order of a list', () => {
    expect(canonical([2, 1])).toBe('[2,1]');
  });

  it('leaves out what is not there', () => {
    expect(canonical({ a: undefined, b: null })).toBe('{"b":null}');
  });

  it('is JSON that says the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // Through JSON on both sides: it knows no -0.
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is the same for the same fields in any order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonical(turned)).toBe(canonical(value));
      }),
    );
  });
});

describe('a fingerprint', () => {
  it('has 14 hexadecimal digits', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => expect(fingerprint(value)).toMatch(/^[0-9a-f]{14}$/)),
    );
  });

  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: '1' }],
    [
      [1, 2],
      [2, 1],
    ],
    [['ab'], ['a', 'b']],
    [{ a: [] }, { a: {} }],
    [{ a: null }, {}],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
  ])('tells %j from %j', (one, other) => {
    expect(fingerprint(one)).not.toBe(fingerprint(other));
  });

  it('of a request does not depend on the id that it names', () => {
    expect(fingerprintOf({ runId: 'r1', mode: 'onlyEBS' })).toBe(
      fingerprintOf({ mode: 'onlyEBS', runId: 'r2' }),
    );
  });

  it('of a request depends on everything else', () => {
    expect(fingerprintOf({ runId: 'r1', jobs: [{ name: 'a' }] })).not.toBe(
      fingerprintOf({ runId: 'r1', jobs: [{ name: 'b' }] }),
    );
  });

  it('of a request that is too large is one for all', () => {
    expect(fingerprintOf({ junk: 'x'.repeat(1_000_000) })).toBe('too large');
  });
});

describe('the hash of a text', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `run-${index}`);

  // Zones and the ids of requests hang on it: another value would make a second run of one request.
  it.each([
    ['', 3_338_908_027_751_811],
    ['run-1', 1_049_276_883_108_453],
    ['intake/requests/a.json#0055', 2_066_685_223_595_773],
  ])('is the same in every release: %j', (text, value) => {
    expect(hash(text)).toBe(value);
  });

  it('is a whole number of at most 53 bits', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(Number.isSafeInteger(hash(text))).toBe(true);
        expect(hash(text)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('tells similar texts apart', () => {
    expect(new Set(ids.map(hash)).size).toBe(ids.length);
  });

  it('uses all of its bits', () => {
    const hashes = ids.map(hash);
    const [low, high] = [Math.min(...hashes), Math.max(...hashes)];
    expect([low < 2 ** 53 / 1000, high > 2 ** 53 * 0.999]).toEqual([true, true]);
  });

  it.each([2, 3, 6, 60])('spreads similar texts evenly over %i places', (places) => {
    const counts = Array.from({ length: places }, () => 0);
    for (const id of ids) {
      const place = hash(id) % places;
      counts[place] = (counts[place] ?? 0) + 1;
    }
    const even = ids.length / places;
    // Five standard deviations of a fair throw.
    const slack = 5 * Math.sqrt(even);
    expect(counts.filter((count) => Math.abs(count - even) > slack)).toEqual([]);
  });
});

describe('the size of a value', () => {
  const limits = { characters: 100, depth: 3 };

  it.each([
    ['nothing', {}],
    ['a text of 90 characters', 'x'.repeat(90)],
    ['three levels', { a: { b: [1] } }],
  ])('is within the limits for %s', (_title, value) => {
    expect(isWithin(value, limits)).toBe(true);
  });

  it.each([
    ['a text of 101 characters', 'x'.repeat(101)],
    ['a name of 101 characters', { ['x'.repeat(101)]: 1 }],
    ['many short texts', Array.from({ length: 60 }, () => 'x')],
    ['four levels', { a: { b: [[1]] } }],
  ])('is beyond the limits for %s', (_title, value) => {
    expect(isWithin(value, limits)).toBe(false);
  });

  it('is told of 100,000 levels without a stack as deep', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(isWithin(deep, limits)).toBe(false);
  });
});
