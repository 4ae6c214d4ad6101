import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Envelope, isLast, PROBE_DUE, type Run, SOURCE } from '../../events';
import type { LogLine } from '../../handlers';
import { until } from '../../sim/clock';
import { homeAt } from '../../sim/home';
import { post } from '../../sim/inbox';
import { openLocal } from '../../sim/local';
import { holderOf } from '../../sim/lock';
import { knownRun } from '../ask';
import type { Command } from '../command';
import type { Io } from '../io';
import { hint, localImage, localSettings } from '../local-settings';
import { openSession } from '../session';

/** Has a run looked at now, as its next probe would. */
export const retry: Command = {
  name: 'retry',
  summary: 'have a run looked at now, as its next probe would; harmless at any time',
  argument: '<run>',
  options: [],
  async run({ argument, home: path }, io) {
    const home = homeAt(resolve(path));
    const run = knownRun(home, argument);
    if (isLast(run.status)) {
      io.say(`${run.id} is ${run.status}: there is nothing left to look at.`);
      return 0;
    }
    if (!holderOf(home.path)) return lookAt(run, path, io);
    post(home, { kind: 'event', envelope: probeOf(run) });
    io.say(`${run.id} (${run.status}) is being looked at: ${hint(`show ${run.id}`, home)}`);
    return 0;
  },
};

/** Longer than a hop on the bus and what a look at a twin takes. */
const LOOK_MS = 3000;

/** Looks in a local cloud of this process, and says what each watcher made of it. */
async function lookAt({ id }: Run, path: string, io: Io): Promise<number> {
  const session = await openSession(path, 'ebb local retry', io);
  const { home } = session;
  const lines: LogLine[] = [];
  const settings = () => localSettings(home);
  const onLog = (line: LogLine) => void (line.runId === id && lines.push(line));
  const local = openLocal({ home, speed: 1, settings, imageOf: localImage, onLog });
  try {
    const run = knownRun(home, id);
    local.cloud.bus.send(probeOf(run));
    await until(async () => isLast(knownRun(home, id).status), LOOK_MS);
    const own = lines.filter(({ decided }) => !decided.startsWith('ignored: the storage is a '));
    for (const { handler, decided } of own) io.out(`${handler.padEnd(20)}  ${decided}`);
    io.say(`${id} is ${knownRun(home, id).status}. See it: ${hint(`show ${id}`, home)}`);
    return 0;
  } finally {
    local.close();
    session.release();
  }
}

function probeOf({ id, status }: Run): Envelope {
  return {
    id: randomUUID(),
    source: SOURCE,
    'detail-type': PROBE_DUE,
    time: new Date().toISOString(),
    detail: { runId: id, status },
  };
}
