import { NO_FAULTS } from '../../sim/faults';
import { simulate } from '../../sim/simulator';
import { resultOf } from '../../sim/workload';

const HOUR_MS = 3_600_000;

describe('a run on a volume', () => {
  it.each(Array.from({ length: 300 }, (_, index) => index + 1))(
    'ends well while events are dropped, doubled and shuffled and handlers crash (seed %i)',
    async (seed) => {
      const { cloud, buckets, made } = await simulate({
        seed,
        requests: [{ runId: 'r1' }],
        faults: {
          ...NO_FAULTS,
          dropNative: 0.5,
          dropOwn: 0.3,
          dropProbes: 0.3,
          repeat: 0.5,
          lateMs: 300_000,
          crash: 0.1,
          loseSubmit: 0.3,
        },
        interruptions: [
          { afterMs: 900_000, noticeMs: 120_000 },
          { afterMs: 1_000_000, noticeMs: 0 },
        ],
      });
      expect(cloud.runs.all()).toMatchObject([{ id: 'r1', status: 'succeeded' }]);
      expect(buckets.get('results', 'runs/r1/result')).toBe(resultOf('r1', HOUR_MS));
      expect(made.size).toBe(1);
      expect(cloud.volumes.all()).toEqual([]);
    },
  );
});
