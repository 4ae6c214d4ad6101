import { ACTIVE_STATUSES, LAST_STATUSES, type Run } from '../../events';
import { changeOf } from '../../handlers';
import { enforceDeadline } from '../../handlers/enforce-deadline';
import { job, later, NOW } from '../support/builders';
import { probe, runIn } from './world';

const HOUR = 3600;
const at = (seconds: number) => NOW + seconds * 1000;
const retained = { retainUntil: later(24 * HOUR) };

/** How many seconds a run may be in each status, and what it is told then. */
const LIMITS = [
  ['queued', 24 * HOUR, ['DeadlinePassed', 'ReleaseStarted']],
  ['provisioning', HOUR, ['DeadlinePassed', 'ReleaseStarted']],
  ['ready', 600, ['DeadlinePassed', 'ReleaseStarted']],
  ['running', 336 * HOUR, ['DeadlinePassed', 'StopRequested']],
  ['exporting', 6 * HOUR, ['DeadlinePassed', 'StorageRetained']],
  ['releasing', HOUR, ['DeadlinePassed']],
  ['retained', 24 * HOUR, ['ReleaseStarted']],
] as const;

describe('enforce-deadline decides', () => {
  it.each(LIMITS)('that a run that is %s is in time after %i seconds less one', (status, limit) => {
    const before = runIn(status, retained);
    expect(enforceDeadline.decide(before, probe, at(limit) - 1)).toEqual({
      kind: 'ignore',
      reason: 'in time',
    });
  });

  it.each(LIMITS)('that a run that is %s for %i seconds goes on: %j', (status, limit, types) => {
    const before = runIn(status, retained);
    expect(enforceDeadline.decide(before, probe, at(limit))).toMatchObject({
      kind: 'conclude',
      drafts: types.map((type) => ({ type })),
    });
  });

  it('knows a limit for every active status', () => {
    expect(LIMITS.map(([status]) => status).sort()).toEqual([...ACTIVE_STATUSES].sort());
  });

  it.each(LAST_STATUSES)('ignores a run that %s', (status) => {
    expect(enforceDeadline.decide(runIn(status), probe, at(10_000 * HOUR))).toEqual({
      kind: 'ignore',
      reason: 'in time',
    });
  });

  it('says which status took too long, and until when it could have lasted', () => {
    expect(enforceDeadline.decide(runIn('ready'), probe, at(900))).toMatchObject({
      drafts: [
        { type: 'DeadlinePassed', data: { overdue: 'ready', deadline: later(600) } },
        { data: { verdict: { kind: 'failed' } } },
      ],
    });
  });

  it('rings the alarm of a release once', () => {
    const before = runIn('releasing', { overdue: 'releasing' });
    expect(enforceDeadline.decide(before, probe, at(2 * HOUR))).toMatchObject({ kind: 'ignore' });
  });

  it('releases a retained run with the verdict it was retained with', () => {
    const verdict = { kind: 'failed', reason: 'exit code 1' } as const;
    const before = runIn('retained', { ...retained, verdict });
    expect(enforceDeadline.decide(before, probe, at(24 * HOUR))).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'ReleaseStarted', data: { verdict } }],
    });
  });

  it('leads a run on whose jobs do not stop within half an hour', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'enough' } as const, at: later(0) };
    const before = runIn('running', { stop });
    expect(enforceDeadline.decide(before, probe, at(1800))).toMatchObject({
      drafts: [
        { type: 'DeadlinePassed' },
        { type: 'ReleaseStarted', data: { verdict: stop.verdict } },
      ],
    });
  });

  it.each(LIMITS)('nothing that the table refuses for a run that is %s', (status, limit) => {
    const befores: Run[] = (['retain', 'release'] as const).map((onFailure) =>
      runIn(status, { ...retained, parameters: { onFailure } }),
    );
    for (const before of befores) {
      const answer = enforceDeadline.decide(before, probe, at(limit));
      const drafts = answer.kind === 'conclude' ? answer.drafts : [];
      expect(() => changeOf(before, { runId: 'r1', drafts, now: at(limit) })).not.toThrow();
    }
  });

  it('nothing that the table refuses for a resumed run that is ready and is to be exported', () => {
    const jobs = { main: job({ ran: true }) };
    const parameters = { onFailure: 'export' as const };
    const before = runIn('ready', { mode: 'taskExport', parameters, jobs });
    const answer = enforceDeadline.decide(before, probe, at(600));
    const drafts = answer.kind === 'conclude' ? answer.drafts : [];
    expect(() => changeOf(before, { runId: 'r1', drafts, now: at(600) })).not.toThrow();
  });
});
