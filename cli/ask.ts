import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Envelope, fieldsOf, REQUESTS, type Run, type RunEvent, replay } from '../events';
import { until } from '../sim/clock';
import { type Home, homeAt, journalsIn } from '../sim/home';
import { post } from '../sim/inbox';
import { holderOf } from '../sim/lock';
import { type Args, UsageError } from './command';
import { words } from './format';
import type { Io } from './io';
import { finish, live } from './live';
import { hint } from './local-settings';
import { openSession } from './session';

/** A local cloud that is at work takes its letters several times a second. */
const ANSWER_MS_MAX = 20_000;

/** What is asked, and of which run. */
export interface Asking {
  readonly type: keyof typeof REQUESTS;
  readonly detail: { readonly [field: string]: unknown };
  /** Whether the command is about how the run ends, and not only about the answer. */
  readonly isAboutEnd?: boolean;
}

/**
 * Asks something of a run: of the local cloud that is at work in another process, or of one of this
 * process, which then goes on until the run rests. Gives the exit code: 0 granted, 1 refused.
 */
export async function ask(asking: Asking, args: Args, io: Io): Promise<number> {
  const { type, detail } = asking;
  const home = homeAt(resolve(args.home));
  const { id } = knownRun(home, args.argument);
  const envelope = envelopeOf(type, { ...detail, runId: id });
  const { derivedId } = REQUESTS[type].parse(envelope).data;
  const answer = () =>
    journalsIn(home)
      .read(id)
      .find(({ data }) => fieldsOf(data)?.requestId === derivedId);

  if (holderOf(home.path)) {
    post(home, { kind: 'event', envelope });
    await until(async () => answer() !== undefined, ANSWER_MS_MAX);
    return tell(answer(), { home, id, args, io });
  }
  const session = await openSession(args.home, `ebb local (${type})`, io);
  try {
    const wish = {
      runId: id,
      run: knownRun(home, id),
      begin: ({ cloud }: Parameters<Parameters<typeof live>[0]['begin']>[0]) =>
        cloud.bus.send(envelope),
      isAnswered: async () => answer() !== undefined,
    };
    const stage = { session, args, io };
    const followed = await live(wish, stage);
    if (answer()?.type === 'RequestRefused') return tell(answer(), { home, id, args, io });
    const code = finish(followed, stage);
    return asking.isAboutEnd ? code : 0;
  } finally {
    session.release();
  }
}

/** The run of an id that somebody typed. */
export function knownRun(home: Home, id = ''): Run {
  const journals = journalsIn(home);
  const run = journals.ids().includes(id) ? replay(journals.read(id)) : undefined;
  if (run) return run;
  throw new UsageError(`there is no run ${id} in ${home.path}: see ${hint('list', home)}`);
}

function envelopeOf(type: string, detail: unknown): Envelope {
  const time = new Date().toISOString();
  return { id: randomUUID(), source: 'ebb', 'detail-type': type, time, detail };
}

function tell(
  answer: RunEvent | undefined,
  { home, id, args, io }: { home: Home; id: string; args: Args; io: Io },
): number {
  if (args.json) io.out(JSON.stringify(answer ?? null, null, 2));
  if (!answer) {
    io.say(
      `No answer from the local cloud at work in ${home.path}: see ${hint(`show ${id}`, home)}`,
    );
    return 1;
  }
  const isRefused = answer.type === 'RequestRefused';
  const reason = fieldsOf(answer.data)?.reason;
  const said = isRefused ? `refused: ${reason}` : `${answer.type}  ${words(answer)}`;
  if (!args.json) io.out(`${id}  ${said}`.trimEnd());
  if (!isRefused) io.say(`Follow it: ${hint(`show ${id}`, home)}`);
  return isRefused ? 1 : 0;
}
