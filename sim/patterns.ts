import { isIPv6 } from 'node:net';

/** An event pattern in the JSON form that EventBridge takes. */
export type EventPattern = { readonly [field: string]: unknown };

/** Makes a test of (parsed) events from a pattern; throws where EventBridge refuses the rule. */
export function compilePattern(pattern: unknown): (event: unknown) => boolean {
  if (!isRecord(pattern)) refuse('pattern', 'an object', pattern);
  const json = JSON.stringify(pattern);
  if (json.length > 2_048) {
    refuse('pattern', 'at most 2,048 characters of JSON, the default quota', json.length);
  }

  const branches = branchesOf(JSON.parse(json)).map(inOrder);
  const wanted = new Set(branches.flat().flatMap(([path]) => prefixesOf(path)));
  return (event) => {
    const leaves = leavesOf(event, wanted);
    return branches.some((branch) => matches(branch, leaves, new Map()));
  };
}

type Scalar = string | number | boolean | null;

/** Asked about a missing field too, as undefined: only `exists: false` may say yes to that. */
type Test = (value: Scalar | undefined) => boolean;

/** What must hold together, by path. A pattern with `$or` is several of these. */
type Branch = ReadonlyMap<string, readonly Test[]>;

/** Where we are: `path` in the event, `place` in the pattern (it also counts `$or`). */
type Position = {
  readonly path: string;
  readonly place: string;
  readonly or: 'alternatives' | 'nested alternatives' | 'field name';
};

function refuse(place: string, wanted: string, seen: unknown): never {
  const text = JSON.stringify(seen) ?? String(seen);
  const got = text.length > 80 ? `${text.slice(0, 79)}…` : text;
  throw new Error(`${place} must be ${wanted}, got ${got}`);
}

function branchesOf(pattern: EventPattern): readonly Branch[] {
  const root = { path: '', place: '', or: 'alternatives' } as const;
  try {
    return addFields([new Map()], pattern, root);
  } catch (refusal) {
    // A `$or` without two alternatives is the name of a field, and then so is every other `$or`.
    try {
      return addFields([new Map()], pattern, { ...root, or: 'field name' });
    } catch {
      throw refusal;
    }
  }
}

function addFields(branches: readonly Branch[], fields: EventPattern, at: Position) {
  const entries = Object.entries(fields);
  if (entries.length === 0) refuse(at.place || 'pattern', 'an object with a field', fields);
  return entries.reduce((done, [name, value]) => addField(done, name, value, at), branches);
}

function addField(
  branches: readonly Branch[],
  name: string,
  value: unknown,
  at: Position,
): readonly Branch[] {
  const path = at.path ? `${at.path}.${name}` : name;
  const place = at.place ? `${at.place}.${name}` : name;
  if (name === '$or' && at.or !== 'field name') return addOr(branches, value, { ...at, place });
  if (at.or === 'nested alternatives' && RESERVED.has(name)) {
    refuse(place, 'a field, and inside $or that name is reserved', name);
  }
  if (isRecord(value)) return addFields(branches, value, { ...at, path, place });
  if (!Array.isArray(value)) refuse(place, 'an array or an object', value);
  if (value.length === 0) refuse(place, 'an array with a value', value);

  // The last list for a path wins: what stands in `$or` overrides a sibling, it does not join it.
  const tests = value.map((item, index) => testOf(item, `${place}[${index}]`));
  return branches.map((branch) => new Map(branch).set(path, tests));
}

function addOr(branches: readonly Branch[], value: unknown, at: Position): readonly Branch[] {
  if (!Array.isArray(value) || value.length < 2 || !value.every(isRecord)) {
    refuse(at.place, 'an array of at least 2 objects', value);
  }
  const all = value.flatMap((fields, index) =>
    addFields(branches, fields, {
      path: at.path,
      place: `${at.place}[${index}]`,
      or: 'nested alternatives',
    }),
  );
  // Alternatives multiply, and a short pattern would fill the memory.
  if (all.length > 1_000) refuse(at.place, 'at most 1,000 combinations in all', all.length);
  return all;
}

// Operators of today and tomorrow: with one of them, `$or` is a field, and the list is its values.
const RESERVED = new Set(
  `exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >=
  regex not-wildcard not-equals-ignore-case date-after date-on-or-after date-before
  date-on-or-before in-date-range ip-address-in-range ip-address-not-in-range`.split(/\s+/),
);

function testOf(item: unknown, place: string): Test {
  if (isScalar(item)) return equals(item);
  if (!isRecord(item)) refuse(place, 'a string, number, boolean, null or operator', item);
  const [name, operand] = entryOf(item, place);
  const operator = OPERATORS.get(name);
  if (!operator) refuse(place, `an operator (${[...OPERATORS.keys()].join(', ')})`, item);
  return operator(operand, `${place}.${name}`);
}

function equals(wanted: Scalar): Test {
  // Only here does an address equal its other spellings: `exactly` and `anything-but` compare text.
  const address = bitsOf(wanted);
  return address ? (value) => bitsOf(value) === address : is(wanted);
}

const is =
  (wanted: unknown): Test =>
  (value) =>
    value === wanted;

const OPERATORS: ReadonlyMap<string, (operand: unknown, place: string) => Test> = new Map([
  ['exactly', (operand, place) => is(textOf(operand, place))],
  ['prefix', (operand, place) => edge(operand, place, (text) => `^"${text}`)],
  ['suffix', (operand, place) => edge(operand, place, (text) => `${text}"$`)],
  ['equals-ignore-case', (operand, place) => like(`^"${folded(textOf(operand, place))}"$`)],
  ['wildcard', wildcard],
  ['anything-but', anythingBut],
  ['numeric', numeric],
  ['exists', exists],
  ['cidr', cidr],
]);

function edge(operand: unknown, place: string, at: (text: string) => string): Test {
  if (!isRecord(operand)) return like(at(escaped(textOf(operand, place))));
  const [name, text] = entryOf(operand, place);
  if (name !== 'equals-ignore-case') refuse(place, 'a string or equals-ignore-case', operand);
  return like(at(folded(textOf(text, `${place}.${name}`))));
}

// With its quotes on, as the engine compares: a prefix `a"` is true of "a" alone.
function like(expression: string): Test {
  const pattern = new RegExp(expression);
  return (value) => typeof value === 'string' && pattern.test(`"${value}"`);
}

// Unit by unit, as the engine folds: "ß" equals "ß" and "SS", and never "ss".
const folded = (text: string) =>
  text.replace(
    /./gs,
    (unit) => `(?:${escaped(unit.toLowerCase())}|${escaped(unit.toUpperCase())})`,
  );

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

function wildcard(operand: unknown, place: string): Test {
  const text = textOf(operand, place);
  if (!/^([^*\\]|\\[*\\]|\*(?!\*))*$/.test(text)) {
    refuse(place, 'without ** and with \\ only before * or \\', text);
  }
  const literals = [''];
  for (const [token] of text.matchAll(/\\?./gs)) {
    if (token === '*') literals.push('');
    else literals.push(`${literals.pop()}${token.slice(-1)}`);
  }
  const [first = '', ...middle] = literals;
  const last = middle.pop();
  if (last === undefined) return is(first);

  // Each literal where it comes first. A regular expression would try all places, for hours.
  return (value) => {
    if (typeof value !== 'string') return false;
    if (!value.startsWith(first) || !value.endsWith(last)) return false;
    let from = first.length;
    for (const literal of middle) {
      const found = value.indexOf(literal, from);
      if (found < 0) return false;
      from = found + literal.length;
    }
    return from <= value.length - last.length;
  };
}

function anythingBut(operand: unknown, place: string): Test {
  const tests = isRecord(operand) ? unwantedTexts(operand, place) : unwantedValues(operand, place);
  // A field that is not there is not "anything".
  return (value) => value !== undefined && !tests.some((test) => test(value));
}

function unwantedValues(operand: unknown, place: string): readonly Test[] {
  const values: readonly unknown[] = [operand].flat();
  const [type] = values.map((value) => typeof value);
  if ((type !== 'string' && type !== 'number') || values.some((value) => typeof value !== type)) {
    refuse(place, 'all strings, all numbers or an operator', operand);
  }
  return values.map((value) => is(type === 'number' ? numberOf(value, place) : value));
}

function unwantedTexts(operand: EventPattern, place: string): readonly Test[] {
  const [name, texts] = entryOf(operand, place);
  const isEdge = name === 'prefix' || name === 'suffix';
  const operator = OPERATORS.get(name);
  if (!operator || !(isEdge || name === 'wildcard' || name === 'equals-ignore-case')) {
    refuse(place, 'values, prefix, suffix, wildcard or equals-ignore-case', operand);
  }
  const list: readonly unknown[] = [texts].flat();
  if (list.length === 0 || (isEdge && list.includes(''))) {
    refuse(`${place}.${name}`, isEdge ? 'strings that are not empty' : 'at least a string', texts);
  }
  return list.map((text) => operator(textOf(text, `${place}.${name}`), `${place}.${name}`));
}

function numeric(operand: unknown, place: string): Test {
  const terms: readonly unknown[] = Array.isArray(operand) ? operand : [];
  const signs = terms.filter((_, index) => index % 2 === 0);
  if (terms.length % 2 !== 0 || !/^\["(=|<=?|>=?|>=?","<=?)"\]$/.test(JSON.stringify(signs))) {
    refuse(place, 'like ["=", 5], with =, <, <=, > or >=, or like [">", 0, "<=", 5]', operand);
  }
  const [low, high] = terms
    .filter((_, index) => index % 2 === 1)
    .map((bound, index) => numberOf(bound, `${place}[${index * 2 + 1}]`));
  if (low !== undefined && high !== undefined && low >= high) {
    refuse(place, 'a range from low to high', operand);
  }
  return (value) =>
    typeof value === 'number' &&
    compare(value, signs[0], low) &&
    (high === undefined || compare(value, signs[1], high));
}

function compare(value: number, sign: unknown, bound = 0): boolean {
  if (sign === '=') return value === bound;
  if (sign === '<') return value < bound;
  if (sign === '>') return value > bound;
  return sign === '<=' ? value <= bound : value >= bound;
}

function exists(operand: unknown, place: string): Test {
  if (typeof operand !== 'boolean') refuse(place, 'true or false', operand);
  return (value) => (value !== undefined) === operand;
}

function cidr(operand: unknown, place: string): Test {
  const [, address, mask] = /^([^/]+)\/(\d+)$/.exec(textOf(operand, place)) ?? [];
  const bits = bitsOf(address);
  // Not all of the bits: that would be a plain value.
  if (!bits || Number(mask) >= bits.length) {
    refuse(place, 'an address, / and fewer than 32 (IPv4) or 128 (IPv6) bits', operand);
  }
  const network = bits.slice(0, Number(mask));
  return (value) => {
    const seen = bitsOf(value);
    return seen?.length === bits.length && seen.startsWith(network);
  };
}

/** An IP address as 32 or 128 digits. */
function bitsOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d+(\.\d+){3}$/.test(value)) {
    // Without isIPv4, for it would not take 010.0.0.1, which is 10.0.0.1 to the engine.
    const bytes = value.split('.').map(Number);
    return bytes.every((byte) => byte < 256) ? binary(bytes, 8) : undefined;
  }
  if (!isIPv6(value) || !/^[\da-f:]+$/i.test(value)) return undefined;
  const [head = [], tail = []] = value.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
  // ::ffff:a00:1 is 10.0.0.1.
  return binary(groups, 16).replace(/^0{80}1{16}/, '');
}

const binary = (numbers: readonly number[], width: number) =>
  numbers.map((number) => number.toString(2).padStart(width, '0')).join('');

type Steps = readonly (readonly [path: string, tests: readonly Test[]])[];

// The order decides: `exists: false` is judged in those elements that earlier paths have chosen.
function inOrder(branch: Branch): Steps {
  return [...branch].sort(([one], [other]) => (one < other ? -1 : 1));
}

// A dot in a name is a step down: { "a.b": 1 } and { "a": { "b": 1 } } are the same to the engine.
const prefixesOf = (path: string) =>
  path.split('.').map((_, index, names) => names.slice(0, index + 1).join('.'));

/** Array → index: the elements that a leaf lies in. */
type Elements = ReadonlyMap<number, number>;

type Leaf = { readonly value: Scalar; readonly elements: Elements };

type Leaves = ReadonlyMap<string, readonly Leaf[]>;

function leavesOf(event: unknown, wanted: ReadonlySet<string>): Leaves {
  const leaves = new Map<string, Leaf[]>();
  let arrays = 0;

  const visit = (value: unknown, path: string, elements: Elements): void => {
    if (Array.isArray(value)) {
      const array = arrays++;
      for (const [index, item] of value.entries()) {
        // A plain value is nobody's neighbour: { "a": ["x", { "b": 1 }] } has a and a.b together.
        visit(item, path, isScalar(item) ? elements : new Map(elements).set(array, index));
      }
    } else if (isRecord(value)) {
      visitFields(value, `${path}.`, elements);
    } else if (isScalar(value)) {
      leaves.set(path, [...(leaves.get(path) ?? []), { value, elements }]);
    }
  };
  const visitFields = (fields: EventPattern, start: string, elements: Elements): void => {
    for (const [name, value] of Object.entries(fields)) {
      if (wanted.has(start + name)) visit(value, start + name, elements);
    }
  };

  if (isRecord(event)) visitFields(event, '', new Map());
  return leaves;
}

function matches([step, ...later]: Steps, leaves: Leaves, chosen: Elements): boolean {
  if (!step) return true;
  const [path, tests] = step;
  const within = leaves.get(path)?.filter(({ elements }) => agree(elements, chosen)) ?? [];
  if (within.length === 0) {
    return tests.some((test) => test(undefined)) && matches(later, leaves, chosen);
  }
  return within.some(
    ({ value, elements }) =>
      tests.some((test) => test(value)) &&
      matches(later, leaves, elements.size === 0 ? chosen : new Map([...chosen, ...elements])),
  );
}

const agree = (elements: Elements, chosen: Elements) =>
  elements.size === 0 ||
  [...elements].every(([array, index]) => (chosen.get(array) ?? index) === index);

function entryOf(record: EventPattern, place: string): readonly [string, unknown] {
  const [entry, another] = Object.entries(record);
  return entry && !another ? entry : refuse(place, 'an object with one operator', record);
}

const textOf = (value: unknown, place: string) =>
  typeof value === 'string' ? value : refuse(place, 'a string', value);

const numberOf = (value: unknown, place: string) =>
  typeof value === 'number' && Math.abs(value) <= 5e9
    ? value
    : refuse(place, 'a number from -5e9 to 5e9', value);

const isScalar = (value: unknown): value is Scalar =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'boolean';

const isRecord = (value: unknown): value is EventPattern =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
