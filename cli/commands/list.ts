import { holderOf } from '../../sim/lock';
import { runsIn } from '../../sim/tidy';
import type { Command } from '../command';
import { hint } from '../local-settings';
import { tidyFirst } from '../session';

/** Lists the runs of the local cloud, the youngest last. */
export const list: Command = {
  name: 'list',
  summary: 'list the runs of the local cloud',
  options: [],
  async run({ home: path, json }, io) {
    const home = await tidyFirst(path, 'ebb local list', io);
    const runs = runsIn(home).sort((a, b) => (a.acceptedAt < b.acceptedAt ? -1 : 1));
    if (json) {
      io.out(JSON.stringify(runs, null, 2));
      return 0;
    }
    if (runs.length === 0) {
      io.say(`No runs yet in ${home.path}. Start one: ${hint('run', home)}`);
      return 0;
    }
    io.say(
      'run, status, mode, when it was accepted (in the time of the local cloud, which goes faster)',
    );
    for (const { id, status, mode, acceptedAt, verdict } of runs) {
      const reason = verdict && verdict.kind !== 'succeeded' ? verdict.reason.split('\n')[0] : '';
      const time = acceptedAt.slice(0, 19).replace('T', ' ');
      io.out(`${id}  ${status.padEnd(12)}  ${mode.padEnd(10)}  ${time}  ${reason}`.trimEnd());
    }
    const holder = holderOf(home.path);
    if (holder) io.say(`Process ${holder.pid} (${holder.doing}) is at work here.`);
    return 0;
  },
};
