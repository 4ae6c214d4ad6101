import { looksSecret } from './secrets';

/** Names the right name for a wrong one: the nearest, if it is near enough to be meant. */
export function nearest(wrong: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: distance(wrong.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(2, best.name.length / 3) ? best.name : undefined;
}

/**
 * Shows a value as the sender wrote it, short enough for a sentence. What may hold a secret is only
 * described: the sentence goes into events, logs and mails.
 */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'string' && looksSecret('', value)) return 'what looks like a secret';
  const json = JSON.stringify(value) ?? String(value);
  return json.length <= 60 ? json : `${json.slice(0, 57)}…`;
}

/** The fields of a JSON object; undefined for anything else that JSON can be. */
export function fieldsOf(value: unknown): { readonly [name: string]: unknown } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  // An object that is no list has fields with names, whatever they hold.
  return value as { readonly [name: string]: unknown };
}

/** Levenshtein distance, over one row: names are short, and a wrong one is cut before. */
function distance(from: string, to: string): number {
  const source = from.slice(0, 80);
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= source.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= to.length; column += 1) {
      const substitution = (row[column - 1] ?? 0) + (source[line - 1] === to[column - 1] ? 0 : 1);
      const insertion = (next[column - 1] ?? 0) + 1;
      const deletion = (row[column] ?? 0) + 1;
      next.push(Math.min(substitution, insertion, deletion));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
