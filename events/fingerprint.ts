/** A value as JSON with its keys in order: equal values have equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join(',')}}`;
}

/**
 * 53 bits that tell two texts apart (cyrb53). No protection against somebody who looks for a
 * collision: who may send requests could as well send the same one twice.
 */
export function hash(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/**
 * How much there is of a value: its characters, and how deep it nests. Counts without recursion and
 * stops at the limits, since what somebody sends may be built to exhaust the stack.
 */
export function isWithin(value: unknown, limits: { characters: number; depth: number }): boolean {
  const left: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  let characters = 0;
  for (let next = left.pop(); next; next = left.pop()) {
    const { value: part, depth } = next;
    if (typeof part !== 'object' || part === null) {
      characters += String(part).length + 2;
    } else {
      for (const [name, field] of Object.entries(part)) {
        characters += name.length + 4;
        left.push({ value: field, depth: depth + 1 });
      }
    }
    if (characters > limits.characters || depth > limits.depth) return false;
  }
  return true;
}

/** 14 hexadecimal digits that stand for a value. */
export function fingerprint(value: unknown): string {
  return hash(canonical(value)).toString(16).padStart(14, '0');
}
