import { readdirSync, readFileSync } from 'node:fs';
import type { Home } from './home';

/**
 * Kills what jobs of an earlier session left running although their hosts are gone: every process
 * that carries this home's mark in its environment. Only where there is a /proc. Gives how many.
 */
export function killStrays({ buckets }: Home): number {
  const mark = `EBBTIDE_LOCAL_BUCKETS=${buckets}\0`;
  const pids = attempt(() => readdirSync('/proc').filter((name) => /^\d+$/.test(name))) ?? [];
  const strays = pids
    .map(Number)
    .filter((pid) => attempt(() => readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark)));
  return strays.filter((pid) => attempt(() => process.kill(pid, 'SIGKILL'))).length;
}

/** Processes come and go while one looks: what is not there any more needs nothing. */
function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
