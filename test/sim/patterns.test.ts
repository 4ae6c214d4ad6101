import fc from 'fast-check';
import { compilePattern } from '../../sim/patterns';
import answers from './patterns.cases.json';

const matches = (pattern: unknown, event: unknown) => compilePattern(pattern)(event);

/** Our answer in the words of the cases. */
function answerTo(pattern: unknown, event: unknown): boolean | 'refused' {
  try {
    return matches(pattern, event);
  } catch {
    return 'refused';
  }
}

describe('a pattern', () => {
  it.each(Object.entries(answers.groups))(
    'matches as the real event-ruler does: %s',
    (_group, cases) => {
      const ours = cases.map(({ pattern, event }) => ({
        pattern,
        event,
        expect: answerTo(pattern, event),
      }));
      expect(ours).toEqual(cases);
    },
  );

  it('ties two fields to one element of an array', () => {
    const pattern = { a: { b: [1], c: [2] } };
    expect(matches(pattern, { a: [{ b: 1, c: 2 }] })).toBe(true);
    expect(matches(pattern, { a: [{ b: 1 }, { c: 2 }] })).toBe(false);
  });

  it('does not tie a plain value to its place in an array', () => {
    const event = { a: ['x', { b: 1 }] };
    expect(matches({ a: ['x'], 'a.b': [1] }, event)).toBe(true);
    expect(matches({ a: ['x'], 'a.b': [{ exists: false }] }, event)).toBe(false);
  });

  it('judges exists: false in the element chosen by the fields before it', () => {
    const pattern = { a: { b: [1], c: [{ exists: false }] } };
    expect(matches(pattern, { a: [{ b: 1 }, { c: 2 }] })).toBe(true);
    expect(matches(pattern, { a: [{ b: 1, c: 2 }, { b: 3 }] })).toBe(false);
  });

  it('judges exists: false in the whole event when no field before it chose an element', () => {
    const pattern = { a: { c: [1], b: [{ exists: false }] } };
    expect(matches(pattern, { a: [{ c: 1 }] })).toBe(true);
    expect(matches(pattern, { a: [{ c: 1 }, { b: 2 }] })).toBe(false);
  });

  it('overrides with $or what stands beside it under the same name', () => {
    const pattern = { a: [9], $or: [{ a: [1] }, { b: [2] }] };
    expect(matches(pattern, { a: 1 })).toBe(true);
    expect(matches(pattern, { a: 9 })).toBe(false);
    expect(matches(pattern, { a: 9, b: 2 })).toBe(true);
  });

  it('takes a $or without alternatives for the name of a field', () => {
    expect(matches({ $or: ['x'] }, { $or: 'x' })).toBe(true);
    expect(matches({ $or: [{ prefix: 'a' }, { prefix: 'b' }] }, { $or: 'bc' })).toBe(true);
  });

  it('finds only values to exist, not objects or empty arrays', () => {
    const pattern = { a: [{ exists: true }] };
    expect(matches(pattern, { a: null })).toBe(true);
    expect(matches(pattern, { a: { b: 1 } })).toBe(false);
    expect(matches(pattern, { a: [] })).toBe(false);
  });

  it('compares numbers by value and never with strings', () => {
    expect(matches({ a: [300] }, JSON.parse('{ "a": 3.0e2 }'))).toBe(true);
    expect(matches({ a: [1] }, { a: '1' })).toBe(false);
  });

  it('does not take a missing field for anything-but', () => {
    const pattern = { a: [{ 'anything-but': 'x' }] };
    expect(matches(pattern, {})).toBe(false);
    expect(matches(pattern, { a: null })).toBe(true);
    expect(matches(pattern, { a: 1 })).toBe(true);
  });

  it('never matches what is not an object', () => {
    const matchesEvent = compilePattern({ a: [{ exists: false }], b: ['x'] });
    for (const event of [null, undefined, 1, 'x', [], [{ b: 'x' }]]) {
      expect(matchesEvent(event)).toBe(false);
    }
  });
});

describe('a pattern departs from the engine on purpose and', () => {
  it('keeps an alternative that extends an earlier one, which the engine drops as a repetition', () => {
    expect(matches({ $or: [{ a: ['x'] }, { a: ['x', 'y'] }] }, { a: 'y' })).toBe(true);
  });

  it('compares the whole text ignoring case, also after a wildcard in the same list', () => {
    const pattern = { a: [{ wildcard: '*q' }, { 'equals-ignore-case': 'ss' }] };
    expect(matches(pattern, { a: 'xss' })).toBe(false);
    expect(matches(pattern, { a: 'SS' })).toBe(true);
  });

  it('knows an emoji when it ignores case', () => {
    expect(matches({ a: [{ 'equals-ignore-case': 'ok 👍' }] }, { a: 'OK 👍' })).toBe(true);
  });

  it('takes neither a number nor an address of the other family for one in a network', () => {
    expect(matches({ a: [{ cidr: '18.0.0.0/8' }] }, { a: 125 })).toBe(false);
    expect(matches({ a: [{ cidr: '32.1.0.0/16' }] }, { a: '2001:db8::1' })).toBe(false);
  });
});

describe('a pattern is refused', () => {
  it.each([
    [undefined, 'pattern must be an object, got undefined'],
    ['x', 'pattern must be an object, got "x"'],
    [[], 'pattern must be an object, got []'],
    [{}, 'pattern must be an object with a field, got {}'],
    [{ a: {} }, 'a must be an object with a field, got {}'],
    [{ a: { b: [] } }, 'a.b must be an array with a value, got []'],
    [{ a: { b: 'x' } }, 'a.b must be an array or an object, got "x"'],
    [{ a: ['x', ['y']] }, 'a[1] must be a string, number, boolean, null or operator, got ["y"]'],
    [{ a: [{}] }, 'a[0] must be an object with one operator, got {}'],
    [
      { a: [{ prefix: 'x', suffix: 'y' }] },
      'a[0] must be an object with one operator, got {"prefix":"x","suffix":"y"}',
    ],
    [
      { a: [{ regex: 'x' }] },
      'a[0] must be an operator (exactly, prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists, cidr), got {"regex":"x"}',
    ],
    [{ a: [{ prefix: 5 }] }, 'a[0].prefix must be a string, got 5'],
    [
      { a: [{ suffix: { wildcard: 'x' } }] },
      'a[0].suffix must be a string or equals-ignore-case, got {"wildcard":"x"}',
    ],
    [
      { a: [{ prefix: { 'equals-ignore-case': 5 } }] },
      'a[0].prefix.equals-ignore-case must be a string, got 5',
    ],
    [{ a: [{ exists: 'yes' }] }, 'a[0].exists must be true or false, got "yes"'],
  ])('for its shape: %j', (pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(new Error(message));
  });

  it.each(['a**b', '\\x', 'x\\'])('for the wildcard %s', (wildcard) => {
    expect(() => compilePattern({ a: [{ wildcard }] })).toThrow(
      `a[0].wildcard must be without ** and with \\ only before * or \\, got ${JSON.stringify(wildcard)}`,
    );
  });

  it.each([
    [[]],
    [['=']],
    [['=', 1, '<', 2]],
    [['>', 1, '<', 2, '<', 3]],
    [['<', 2, '>', 1]],
    [['!=', 1]],
    ['=1'],
  ])('for the comparison %j', (numeric) => {
    expect(() => compilePattern({ a: [{ numeric }] })).toThrow(
      `a[0].numeric must be like ["=", 5], with =, <, <=, > or >=, or like [">", 0, "<=", 5], got ${JSON.stringify(numeric)}`,
    );
  });

  it.each([
    [['>', 5, '<', 1], 'a[0].numeric must be a range from low to high, got [">",5,"<",1]'],
    [['>=', 5, '<=', 5], 'a[0].numeric must be a range from low to high, got [">=",5,"<=",5]'],
    [['=', '5'], 'a[0].numeric[1] must be a number from -5e9 to 5e9, got "5"'],
    [
      ['>', 0, '<', 5_000_000_001],
      'a[0].numeric[3] must be a number from -5e9 to 5e9, got 5000000001',
    ],
    [['<', -5_000_000_001], 'a[0].numeric[1] must be a number from -5e9 to 5e9, got -5000000001'],
  ])('for the bounds %j', (numeric, message) => {
    expect(() => compilePattern({ a: [{ numeric }] })).toThrow(new Error(message));
  });

  it.each(['10.0.0.0', '10.0.0.0/32', '10.0.0/8', '::/128', 'host/8'])(
    'for the network %s',
    (cidr) => {
      expect(() => compilePattern({ a: [{ cidr }] })).toThrow(
        `a[0].cidr must be an address, / and fewer than 32 (IPv4) or 128 (IPv6) bits, got "${cidr}"`,
      );
    },
  );

  it.each([
    [null, 'a[0].anything-but must be all strings, all numbers or an operator, got null'],
    [[], 'a[0].anything-but must be all strings, all numbers or an operator, got []'],
    [['x', 1], 'a[0].anything-but must be all strings, all numbers or an operator, got ["x",1]'],
    [6e9, 'a[0].anything-but must be a number from -5e9 to 5e9, got 6000000000'],
    [
      { cidr: '10.0.0.0/8' },
      'a[0].anything-but must be values, prefix, suffix, wildcard or equals-ignore-case, got {"cidr":"10.0.0.0/8"}',
    ],
    [{ prefix: '' }, 'a[0].anything-but.prefix must be strings that are not empty, got ""'],
    [{ wildcard: [] }, 'a[0].anything-but.wildcard must be at least a string, got []'],
    [{ suffix: ['x', 1] }, 'a[0].anything-but.suffix must be a string, got 1'],
  ])('for anything but %j', (unwanted, message) => {
    expect(() => compilePattern({ a: [{ 'anything-but': unwanted }] })).toThrow(new Error(message));
  });

  it.each([
    [{ $or: [{ a: [1] }] }, '$or must be an array of at least 2 objects, got [{"a":[1]}]'],
    [
      { a: { $or: [{ b: [1] }, 2] } },
      'a.$or must be an array of at least 2 objects, got [{"b":[1]},2]',
    ],
    [{ $or: [{ a: [1] }, { b: [{ prefix: 1 }] }] }, '$or[1].b[0].prefix must be a string, got 1'],
    [
      { $or: [{ a: [1] }, { prefix: ['x'] }] },
      '$or[1].prefix must be a field, and inside $or that name is reserved, got "prefix"',
    ],
  ])('for its alternatives: %j', (pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(new Error(message));
  });

  it('when its alternatives make more than 1,000 combinations', () => {
    const two = { $or: [{ x: [1] }, { y: [1] }] };
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, two]));
    expect(() => compilePattern(fields(9))).not.toThrow();
    expect(() => compilePattern(fields(10))).toThrow(
      'f9.$or must be at most 1,000 combinations in all, got 1024',
    );
  });

  it('when it is longer than the default quota', () => {
    const withLength = (length: number) => ({ a: ['x'.repeat(length - '{"a":[""]}'.length)] });
    expect(() => compilePattern(withLength(2_048))).not.toThrow();
    expect(() => compilePattern(withLength(2_049))).toThrow(
      'pattern must be at most 2,048 characters of JSON, the default quota, got 2049',
    );
  });
});

describe('whatever it is given, a pattern', () => {
  const OPERATORS = [
    'prefix',
    'suffix',
    'numeric',
    'wildcard',
    'cidr',
    'anything-but',
    'exists',
    '$or',
  ];
  // Empty names are left out: a step without a name has no place in a path.
  const name = fc.oneof(fc.string({ minLength: 1, maxLength: 5 }), fc.constantFrom(...OPERATORS));
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      scalar,
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(name, tie('json'), { maxKeys: 3 }),
    ),
  }));

  it('is compiled, or refused with a place, what is wanted and what was seen', () => {
    fc.assert(
      fc.property(json, json, (pattern, event) => {
        try {
          expect(typeof matches(pattern, event)).toBe('boolean');
        } catch (error) {
          expect(String(error)).toMatch(/^Error: .+ must be .+, got ./s);
        }
      }),
    );
  });

  it('made of a leaf of an event matches that event, and not one without it', () => {
    const path = fc.array(name, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(path, scalar, fc.dictionary(name, json), (names, leaf, others) => {
        const nest = (inner: unknown) =>
          names.reduceRight<unknown>((value, step) => ({ [step]: value }), inner);
        const event = { ...others, ...Object(nest(leaf)) };
        expect(matches(nest([leaf]), event)).toBe(true);
        expect(matches(nest([leaf]), nest([]))).toBe(false);
        expect(matches(nest([{ 'anything-but': ['some other value'] }]), event)).toBe(
          leaf !== 'some other value',
        );
      }),
    );
  });

  it('finds a wildcard missing at once, however many stars it has', () => {
    const wildcard = '*a*a*a*a*a*a*a*a*b';
    expect(matches({ a: [{ wildcard }] }, { a: 'a'.repeat(10_000) })).toBe(false);
  });
});
