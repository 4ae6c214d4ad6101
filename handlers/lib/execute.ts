import {
  type About,
  allows,
  type Draft,
  type Envelope,
  isLast,
  lookBy,
  type Parsed,
  PROBE_DUE,
  probeOf,
  REQUESTS,
  type Run,
} from '../../events';
import { easeBrakes, heldUntil, pullBrakes } from './brakes';
import { changeOf } from './change';
import { type Answer, type Decision, type Handler, ignore } from './handler';
import { type Ports, Throttled } from './ports';

/** Somebody else may change the run so often during one delivery; then the delivery is tried anew. */
const COMMITS_MAX = 3;
const JITTER_MS = 50;

/**
 * The one path of every delivery: parse, read the run, decide, act once, record. Returns when there
 * is nothing left to do for this event; throws on surprise, and then the delivery comes again.
 */
export async function execute(handler: Handler, envelope: Envelope, ports: Ports): Promise<void> {
  const event = parse(handler, envelope);
  const runId = await resolve(event.about, ports);
  const log = (seq: number, decided: string) =>
    ports.log({ handler: handler.name, event: event.type, runId: runId ?? '', seq, decided });
  if (!runId) return log(0, 'not ours');

  let found: Found | undefined;
  for (let tries = 0; tries < COMMITS_MAX; tries += 1) {
    const run = await ports.runs.get(runId);
    assertNotOlder(runId, run, event.about);
    if (!run && !handler.begins) {
      if (mayComeYet(event, envelope, ports)) {
        throw new Error(`there is no run ${runId} yet: the request waits for it`);
      }
      return log(0, 'not ours');
    }

    const now = ports.clock.now();
    const decision = handler.decide(run, event, now);
    const isStep = decision.kind === 'proceed' || decision.kind === 'look';
    if (isStep && !found) {
      const held = await carryOutOrWait(handler, decision, { runId, ports });
      if ('until' in held) return log(run?.seq ?? 0, await wait(held.until, { run, ports }));
      found = { decision, status: run?.status, value: held.value };
    }
    const later = ports.clock.now();
    // A step has been carried out by now: what was decided without one is an answer.
    const answer = found
      ? concluded(handler, found, { decision, run, now: later })
      : (decision as Answer<Draft>);
    const outcome = await settle(answer, { run, runId, now: later, ports });
    if (outcome !== 'overtaken') return log(run?.seq ?? 0, outcome);
    if (handler.kind === 'observer') found = undefined;
    await ports.clock.sleep(ports.random() * JITTER_MS * (tries + 1));
  }
  throw new Error(`${handler.name}: ${runId} changed ${COMMITS_MAX} times meanwhile`);
}

/** The request for a run may be on its way, behind one that asks something of that run. */
const COMES_WITHIN_MS = 3_600_000;

function mayComeYet({ type }: Parsed<unknown>, { time }: Envelope, { clock }: Ports): boolean {
  // The time is the sender's to choose.
  const age = Math.abs(clock.now() - Date.parse(time));
  return Object.hasOwn(REQUESTS, type) && age < COMES_WITHIN_MS;
}

/** What an act or a look brought, and what it was decided upon. */
interface Found {
  readonly value: unknown;
  readonly decision: Decision;
  readonly status: Run['status'] | undefined;
}

/**
 * What follows from what was found. What was done is done: when the commit was overtaken, the
 * outcome counts for the same decision, or for a run that has moved on; else another delivery has
 * recorded it, or it belongs to an earlier try.
 */
function concluded(
  handler: Handler,
  { value, decision: before, status }: Found,
  { decision, run, now }: { decision: Decision; run: Run | undefined; now: number },
): Answer<Draft> {
  const isSame = before.kind === 'look' || keyOf(decision) === keyOf(before);
  if (isSame || run?.status !== status) return handler.conclude(value, run, now);
  return ignore('another delivery has recorded it');
}

function keyOf(decision: Decision): string | undefined {
  return decision.kind === 'proceed' ? decision.key : undefined;
}

function parse(handler: Handler, envelope: Envelope): Parsed<unknown> {
  if (envelope['detail-type'] === PROBE_DUE) return probeOf(handler.watches).parse(envelope);
  if (!handler.on) throw new Error(`${handler.name} only listens to probes`);
  return handler.on.parse(envelope);
}

/** The run an event is about; undefined where it is about something that is not ours. */
async function resolve(about: About, { runs }: Ports): Promise<string | undefined> {
  if ('runId' in about) return about.runId === '' ? undefined : about.runId;
  return runs.runOf(about.storageId);
}

/** State and event are written together and the read is consistent: this cannot happen. */
function assertNotOlder(runId: string, run: Run | undefined, about: About): void {
  if (!('seq' in about) || about.seq === undefined || (run && run.seq >= about.seq)) return;
  throw new Error(
    `${runId} is older than its own event: seq ${run?.seq ?? 0}, wanted ${about.seq}`,
  );
}

type Step = Extract<Decision, { readonly kind: 'proceed' | 'look' }>;

/**
 * Acts or looks, unless AWS has asked for fewer calls: then all runs wait together, and this one is
 * looked at again afterwards. Where nobody would look, the event goes back to its queue: a request of a
 * run that is not there yet, or what no probe wakes.
 */
async function carryOutOrWait(
  handler: Handler,
  step: Step,
  { runId, ports }: { readonly runId: string; readonly ports: Ports },
): Promise<{ readonly value: unknown } | { readonly until: number }> {
  const { clock, brakes } = ports;
  const held = await heldUntil(handler.uses, runId, { brakes, now: clock.now() });
  const isLookedAt = !handler.begins && handler.watches.length > 0;
  if (held !== undefined && !isLookedAt) throw new Throttled(`${handler.name} is held back`);
  if (held !== undefined) return { until: held };
  try {
    const value = await carryOut(handler, step, ports);
    await easeBrakes(handler.uses, { brakes, now: clock.now() });
    return { value };
  } catch (error) {
    if (!(error instanceof Throttled)) throw error;
    await pullBrakes(handler.uses, { brakes, now: clock.now() });
    const until = await heldUntil(handler.uses, runId, { brakes, now: clock.now() });
    if (!isLookedAt || until === undefined) throw error;
    return { until };
  }
}

async function wait(
  until: number,
  { run, ports }: { readonly run: Run | undefined; readonly ports: Ports },
): Promise<string> {
  if (run) await lookAgain(run, until, ports);
  return `AWS asks for fewer calls: again at ${new Date(until).toISOString()}`;
}

async function carryOut(handler: Handler, step: Step, ports: Ports): Promise<unknown> {
  if (step.kind === 'look') return handler.carryOut(step.target, '', ports);
  const act = () => handler.carryOut(step.step, step.key, ports);
  return handler.repeats ? act() : ports.once(step.key, act);
}

interface Moment {
  readonly run: Run | undefined;
  readonly runId: string;
  readonly now: number;
  readonly ports: Ports;
}

/** Writes an answer. Gives what the log says, or that somebody was faster. */
async function settle(answer: Answer<Draft>, moment: Moment): Promise<string> {
  const { run, runId, now, ports } = moment;
  if (answer.kind === 'ignore') return `ignored: ${answer.reason}`;
  if (answer.kind === 'again') {
    if (!run) return 'ignored: no such run';
    await lookAgain(run, answer.at, ports);
    return `again at ${new Date(answer.at).toISOString()}`;
  }
  const [first] = answer.drafts;
  if (!first) return 'ignored: nothing follows';
  // An effect whose run has moved on is recorded where the table allows; elsewhere the run's release
  // and the reaper find it by its tags.
  if (!allows(run, first.type)) {
    return `ignored: ${first.type} cannot meet ${run?.status ?? 'no run'}`;
  }
  const change = changeOf(run, { runId, mode: answer.mode, drafts: answer.drafts, now });
  const isWritten = await ports.runs.commit(change);
  return isWritten ? answer.drafts.map(({ type }) => type).join(', ') : 'overtaken';
}

/** No look lies beyond the deadline: who looks then is told that it has passed. */
async function lookAgain(run: Run, at: number, { runs, clock }: Ports): Promise<void> {
  const { id: runId, status } = run;
  if (isLast(status)) return;
  const now = clock.now();
  const lookAt = new Date(lookBy(run, at, now)).toISOString();
  await runs.lookAgain({ runId, status, lookAt, now: new Date(now).toISOString() });
}
