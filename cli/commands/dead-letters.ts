import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { fieldsOf } from '../../events';
import { until } from '../../sim/clock';
import { type DeadLetter, deadLettersIn } from '../../sim/dead-letters';
import { type Home, homeAt } from '../../sim/home';
import { post } from '../../sim/inbox';
import { openLocal } from '../../sim/local';
import { holderOf } from '../../sim/lock';
import type { Args, Command } from '../command';
import type { Io } from '../io';
import { hint, localImage, localSettings } from '../local-settings';
import { openSession } from '../session';

const REDRIVE_MS_MAX = 20_000;

/** Shows events that no handler could deal with, and sends them round again. */
export const deadLetters: Command = {
  name: 'dead-letters',
  summary: 'show events that could not be handled; --redrive sends them round again',
  options: [{ flags: '--redrive', about: 'deliver each once more; harmless when done twice' }],
  async run(args, io) {
    const home = homeAt(resolve(args.home));
    const before = deadLettersIn(home).read();
    if (args.redrive === true && before.length > 0) await redrive(home, args, io);
    const left = deadLettersIn(home).read();
    const gone = before.length - left.length;
    if (args.json) io.out(JSON.stringify(left, null, 2));
    else for (const letter of left) io.out(lineOf(letter));
    if (args.redrive === true) io.say(`${gone} of ${before.length} dead letters were handled.`);
    else if (left.length === 0) io.say(`No dead letters in ${home.path}.`);
    else io.say(`Send them round again: ${hint('dead-letters --redrive', home)}`);
    return left.length === 0 ? 0 : 1;
  },
};

/** Has them delivered by whoever is at work here, or by a local cloud of this process. */
async function redrive(home: Home, args: Args, io: Io): Promise<void> {
  const letters = deadLettersIn(home);
  const started = new Date().toISOString();
  const isTried = () => letters.read().every(({ time }) => time >= started);
  if (holderOf(home.path)) {
    post(home, { kind: 'redrive', id: randomUUID() });
    await until(async () => isTried(), REDRIVE_MS_MAX);
    return;
  }
  const session = await openSession(args.home, 'ebb local dead-letters', io);
  const settings = () => localSettings(home);
  const local = openLocal({ home, speed: 1, settings, imageOf: localImage });
  try {
    await local.cloud.redrive();
  } finally {
    local.close();
    session.release();
  }
}

/** Enough to know what it was; all of it is in --json. */
const ERROR_MAX = 200;

function lineOf({ handler, envelope, error, time }: DeadLetter): string {
  const runId = fieldsOf(envelope.detail)?.runId ?? '';
  const why = error.replaceAll(/\s+/g, ' ').slice(0, ERROR_MAX);
  return `${time.slice(0, 19)}  ${handler}  ${envelope['detail-type']}  ${runId}  ${why}`;
}
