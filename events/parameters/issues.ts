import type { Parameter } from './kinds';
import { fieldsOf, shown } from './words';

const ISSUES_MAX = 5;

/**
 * What is wrong with the parts of a value, each as a sentence without its place: for lists of
 * objects, where "got a list of 3" would help nobody. None where the schema has no sentences.
 */
export function issuesOf(name: string, value: unknown, { schema, explains }: Parameter<unknown>) {
  const judged = schema.safeParse(value);
  if (judged.success || !explains) return [];
  return judged.error.issues.slice(0, ISSUES_MAX).map(({ code, path, message }) => {
    const place = placeOf(name, path);
    if (code === 'unrecognized_keys') return `${place} ${message}`;
    const [rule, ...remedy] = message.split(': ');
    return [`${place} ${rule}, got ${shown(partOf(value, path))}`, ...remedy].join(': ');
  });
}

/** `schedules[1].name`. */
function placeOf(name: string, path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return `${name}${steps.join('')}`;
}

function partOf(value: unknown, path: readonly PropertyKey[]): unknown {
  let part = value;
  for (const step of path) {
    part = Array.isArray(part) ? part[Number(step)] : fieldsOf(part)?.[String(step)];
  }
  return part;
}
