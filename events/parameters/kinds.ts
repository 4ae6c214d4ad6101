import * as z from 'zod';
import { MODES, type Mode } from '../contract';

/** One parameter: what it means, what it takes, where a limit comes from. */
export interface Parameter<Value> {
  readonly about: string;
  readonly unit?: string;
  /** What a value must be, as the end of the sentence "must be …". */
  readonly rule: string;
  /** Who set the limits: AWS (which call), or us (why). */
  readonly source: string;
  readonly schema: z.ZodType<Value>;
  readonly modes: readonly Mode[];
  /** `deploy`: only cdk.json may set it; `run`: every layer may. */
  readonly layer: 'deploy' | 'run';
  /** The schema's messages say in words what is wrong with a part of the value. */
  readonly explains?: true;
  /** The nearest legal values to a wrong number, where they are few. */
  readonly near?: (wrong: number) => readonly number[];
  /** The value where no layer says another; absent where the stack or the run decides. */
  readonly default?: (mode: Mode) => Value;
}

interface Shape<Value> {
  readonly about: string;
  readonly source: string;
  readonly modes?: readonly Mode[];
  readonly layer?: 'deploy' | 'run';
  readonly unit?: string;
  readonly explains?: true;
  readonly near?: (wrong: number) => readonly number[];
  readonly default?: Value | ((mode: Mode) => Value);
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A parameter of any kind: its schema, its rule in words, and what all have. */
export function parameter<Value>(
  schema: z.ZodType<Value>,
  rule: string,
  shape: Shape<Value>,
): Parameter<Value> {
  const { default: value, modes = MODES, layer = 'run', ...rest } = shape;
  const byMode = typeof value === 'function' ? (value as (mode: Mode) => Value) : undefined;
  const always = value === undefined || byMode ? undefined : () => value as Value;
  return { ...rest, schema, rule, modes, layer, default: byMode ?? always };
}

/** A whole number between bounds. */
export function whole({ min, max, ...shape }: Shape<number> & Bounds): Parameter<number> {
  const unit = shape.unit ? ` ${shape.unit}` : '';
  return parameter(z.int().min(min).max(max), `a whole number from ${min} to ${max}${unit}`, shape);
}

/** True or false. */
export function flag(shape: Shape<boolean>): Parameter<boolean> {
  return parameter(z.boolean(), 'true or false, without quotes', shape);
}

/** One of a few words. */
export function oneOf<const Word extends string>(
  words: readonly [Word, ...Word[]],
  shape: Shape<Word>,
): Parameter<Word> {
  return parameter(z.enum(words), `one of ${words.join(', ')}`, shape);
}

/** A text of a certain form. */
export function text(form: RegExp, rule: string, shape: Shape<string>): Parameter<string> {
  return parameter(z.string().regex(form), rule, shape);
}

/** A list of texts. */
export function texts(rule: string, shape: Shape<readonly string[]>): Parameter<readonly string[]> {
  return parameter(z.array(z.string().min(1).max(300)).max(100), rule, shape);
}

const PACE = 'ours: a probe more often than every second costs more than it saves';

/** The time between two looks at the same thing. */
export function pace(about: string, seconds: number, modes?: readonly Mode[]): Parameter<number> {
  const shape = { about, source: PACE, unit: 'seconds', modes, default: seconds };
  return whole({ ...shape, min: 1, max: 3600 });
}
