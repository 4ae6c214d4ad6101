import type {
  ActiveStatus,
  Contract,
  Draft,
  EventContract,
  Mode,
  Parsed,
  ProbeDue,
  Run,
} from '../../events';
import type { PortName, Ports } from './ports';

/** Nothing to do, for this reason. A success. */
export interface Ignore {
  readonly kind: 'ignore';
  readonly reason: string;
}
/** This is what follows. `mode` where the run begins with it. */
export interface Conclude<Emitted> {
  readonly kind: 'conclude';
  readonly drafts: readonly Emitted[];
  readonly mode?: Mode;
}
/** Nothing new; look again at `at`, in epoch milliseconds. */
export interface Again {
  readonly kind: 'again';
  readonly at: number;
}
/** First make this effect, under this key. */
export interface Proceed<Step> {
  readonly kind: 'proceed';
  readonly key: string;
  readonly step: Step;
}
/** First look at this. */
export interface LookAt<Target> {
  readonly kind: 'look';
  readonly target: Target;
}

export type Answer<Emitted> = Ignore | Conclude<Emitted> | Again;

export const ignore = (reason: string): Ignore => ({ kind: 'ignore', reason });
export const again = (at: number): Again => ({ kind: 'again', at });
export const look = <Target>(target: Target): LookAt<Target> => ({ kind: 'look', target });

/** Says what follows: events for one commit. No events at all is the same as nothing to do. */
export function conclude<Drafts extends readonly Draft[]>(
  ...drafts: Drafts
): Conclude<Drafts[number]> {
  return { kind: 'conclude', drafts };
}

/** Says how a run begins. */
export function begin<Drafts extends readonly Draft[]>(
  mode: Mode,
  ...drafts: Drafts
): Conclude<Drafts[number]> {
  return { kind: 'conclude', drafts, mode };
}

/** Client tokens: 63 at FSx, 64 at EC2. */
const KEY_FORM = /^[A-Za-z0-9_.-]{1,63}$/;

/** Names an effect by its intent, `<run>.<effect>.<try>`. The key becomes AWS's client token. */
export function proceed<Step>(key: string, step: Step): Proceed<Step> {
  if (!KEY_FORM.test(key)) throw new Error(`key must be 1 to 63 of A-Z a-z 0-9 _ . -, got ${key}`);
  return { kind: 'proceed', key, step };
}

interface Declaration<Data, Uses extends PortName, Emits extends readonly EventContract[]> {
  /** Verb and noun; also the name of the file, the function and its logs. */
  readonly name: string;
  readonly on?: Contract<Data>;
  /** The statuses it can move a run out of, or act in: their probes wake it too. */
  readonly watches: readonly ActiveStatus[];
  readonly uses: readonly Uses[];
  readonly emits: Emits;
}

/** The events a handler may write, as its `emits` says. */
type EmittedBy<Emits extends readonly EventContract[]> = ReturnType<Emits[number]['of']>;
type Event<Data> = Parsed<Data | ProbeDue>;

/** `decide` → `act` → `record`: one effect, made once under its key. Or only `decide`. */
export interface Reaction<
  Data,
  Step,
  Outcome,
  Uses extends PortName,
  Emits extends readonly EventContract[],
> extends Declaration<Data, Uses, Emits> {
  decide(run: Run, event: Event<Data>, now: number): Answer<EmittedBy<Emits>> | Proceed<Step>;
  act?(step: Step, key: string, ports: Pick<Ports, Uses>): Promise<Outcome>;
  /** Meets the run as it is after the act, which may not be the one that was decided upon. */
  record?(outcome: Outcome, run: Run, now: number): Answer<EmittedBy<Emits>>;
  /** The act is a step that may be taken again and again: it is not remembered. */
  readonly repeats?: true;
}

/** `decide` → `look` → `judge`: reads, changes nothing outside, and is never remembered. */
export interface Observer<
  Data,
  Target,
  Seen,
  Uses extends PortName,
  Emits extends readonly EventContract[],
  Met,
> extends Declaration<Data, Uses, Emits> {
  decide(run: Met, event: Event<Data>, now: number): Answer<EmittedBy<Emits>> | LookAt<Target>;
  look?(target: Target, ports: Pick<Ports, Uses>): Promise<Seen>;
  judge?(seen: Seen, run: Met, now: number): Answer<EmittedBy<Emits>>;
}

/** A handler as the one path sees it: what it is about is its own affair. */
export interface Handler {
  readonly kind: 'reaction' | 'observer';
  readonly name: string;
  readonly on?: Contract;
  readonly watches: readonly ActiveStatus[];
  readonly uses: readonly PortName[];
  readonly emits: readonly EventContract[];
  /** Whether it may meet no run, and begin one. */
  readonly begins: boolean;
  readonly repeats: boolean;
  decide(run: Run | undefined, event: Parsed<unknown>, now: number): Decision;
  /** `act` of a reaction, `look` of an observer. */
  carryOut(step: unknown, key: string, ports: Ports): Promise<unknown>;
  /** `record` of a reaction, `judge` of an observer. */
  conclude(found: unknown, run: Run | undefined, now: number): Answer<Draft>;
}

export type Decision = Answer<Draft> | Proceed<unknown> | LookAt<unknown>;

/** Declares a handler that changes something, or only draws a conclusion. */
export function reaction<
  Data,
  Step,
  Outcome,
  const Uses extends PortName,
  const Emits extends readonly EventContract[],
>(definition: Reaction<Data, Step, Outcome, Uses, Emits>) {
  return made({
    ...definition,
    kind: 'reaction',
    begins: false,
    carryOut: definition.act ?? nothing(definition.name),
    conclude: definition.record ?? nothing(definition.name),
  });
}

/** Declares a handler that reads. */
export function observer<
  Data,
  Target,
  Seen,
  const Uses extends PortName,
  const Emits extends readonly EventContract[],
>(definition: Observer<Data, Target, Seen, Uses, Emits, Run>) {
  return made({ ...definition, ...reading(definition), begins: false });
}

/** Declares an observer that may meet no run: what it concludes then is the run's beginning. */
export function opener<
  Data,
  Target,
  Seen,
  const Uses extends PortName,
  const Emits extends readonly EventContract[],
>(definition: Observer<Data, Target, Seen, Uses, Emits, Run | undefined>) {
  return made({ ...definition, ...reading(definition), begins: true });
}

/** An observer's looking and judging, in the places where the one path expects them. */
function reading<Target, Judge>(definition: {
  readonly name: string;
  look?(target: Target, ports: Ports): Promise<unknown>;
  readonly judge?: Judge;
}) {
  const { name, look: looks = nothing(name), judge = nothing(name) } = definition;
  return {
    kind: 'observer',
    carryOut: (target: Target, _key: string, ports: Ports) => looks(target, ports),
    conclude: judge,
  } as const;
}

/**
 * Forgets a handler's own types for the one path, and keeps them for tests. Sound because the path
 * hands `carryOut` only what this handler's `decide` gave, and `conclude` only what `carryOut` gave.
 */
function made<Typed extends { readonly name: string }>(handler: Typed): Typed & Handler {
  return { repeats: false, ...handler } as unknown as Typed & Handler;
}

function nothing(name: string): () => never {
  return () => {
    throw new Error(`${name} decided upon an effect and has none`);
  };
}
