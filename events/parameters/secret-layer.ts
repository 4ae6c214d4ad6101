import { definitionOf } from './definitions';
import type { Layer } from './layers';
import { fieldsOf, shown } from './words';

/** Secrets Manager: the longest SecretString, in bytes. */
const BYTES_MAX = 65_536;
/** A number as JSON writes it, and nothing around it: neither ` 1` nor `007`, but `1e3`. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * The layer that a mode's secret is: overrides as JSON, `{}` at the beginning. What cannot be read is a
 * problem of the layer, so that no run begins with other sizes than somebody wanted. Never throws,
 * and never shows what it could not read.
 */
export function secretLayer(name: string, text: string | undefined): Layer {
  const layer = { name: `the secret ${name}`, deploys: false };
  const broken = (what: string, remedy: string): Layer => ({
    ...layer,
    values: {},
    problem: `${layer.name} ${what}: ${remedy}`,
  });
  if (text === undefined)
    return broken('is not there, or has no text', 'give it the value {}, or deploy again');
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > BYTES_MAX) {
    return broken(`has ${bytes} bytes, and may have ${BYTES_MAX}`, 'keep only overrides there');
  }
  const value = parsed(text);
  if (value === undefined) {
    return broken('is not JSON', 'write an object of parameters and values, {} for none');
  }
  const fields = fieldsOf(value);
  if (!fields) {
    return broken(`must be a JSON object, got ${kindOf(value)}`, 'write {} for no overrides');
  }
  return { ...layer, values: converted(fields) };
}

/** The texts that are numbers or booleans, as these: whoever fills in a form stores texts. */
function converted(fields: Layer['values']): Layer['values'] {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, convert(name, value)]),
  );
}

/** A text that is legal as it stands stays: the Lustre version 2.15 is none but looks like a number. */
function convert(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (definitionOf(name)?.schema.safeParse(value).success) return value;
  if (value === 'true' || value === 'false') return value === 'true';
  const number = NUMBER.test(value) ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : value;
}

/** JSON has no undefined. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What it is instead of an object. A text or a number here may be somebody's password. */
function kindOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number'
    ? `a ${typeof value === 'string' ? 'text' : 'number'}`
    : shown(value);
}
