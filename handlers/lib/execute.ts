import {
  type About,
  allows,
  type Draft,
  deadlineOf,
  type Envelope,
  isLast,
  type Parsed,
  PROBE_DUE,
  probeOf,
  type Run,
} from '../../events';
import { changeOf } from './change';
import type { Answer, Handler } from './handler';
import type { Ports } from './ports';

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

  let found: { readonly value: unknown } | undefined;
  for (let tries = 0; tries < COMMITS_MAX; tries += 1) {
    const run = await ports.runs.get(runId);
    assertNotOlder(runId, run, event.about);
    if (!run && !handler.begins) return log(0, 'not ours');

    const now = ports.clock.now();
    const step = found ? undefined : handler.decide(run, event, now);
    if (step?.kind === 'proceed' || step?.kind === 'look') {
      found = { value: await carryOut(handler, step, ports) };
    }
    // What was done is done: after an overtaken commit it is held against the run as it is then.
    const later = ports.clock.now();
    const answer = found ? handler.conclude(found.value, run, later) : (step as Answer<Draft>);
    const outcome = await settle(answer, { run, runId, now: later, ports });
    if (outcome !== 'overtaken') return log(run?.seq ?? 0, outcome);
    if (handler.kind === 'observer') found = undefined;
    await ports.clock.sleep(ports.random() * JITTER_MS * (tries + 1));
  }
  throw new Error(`${handler.name}: ${runId} changed ${COMMITS_MAX} times meanwhile`);
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

async function carryOut(
  handler: Handler,
  step:
    | { readonly kind: 'proceed'; key: string; step: unknown }
    | { kind: 'look'; target: unknown },
  ports: Ports,
): Promise<unknown> {
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
  if (!allows(run, first.type))
    return `ignored: ${first.type} cannot meet ${run?.status ?? 'no run'}`;
  const change = changeOf(run, { runId, mode: answer.mode, drafts: answer.drafts, now });
  const isWritten = await ports.runs.commit(change);
  return isWritten ? answer.drafts.map(({ type }) => type).join(', ') : 'overtaken';
}

/** No look lies beyond the deadline: who looks then is told that it has passed. */
async function lookAgain(run: Run, at: number, { runs, clock }: Ports): Promise<void> {
  const { id: runId, status } = run;
  if (isLast(status)) return;
  const lookAt = new Date(Math.min(at, deadlineOf(run))).toISOString();
  await runs.lookAgain({ runId, status, lookAt, now: new Date(clock.now()).toISOString() });
}
