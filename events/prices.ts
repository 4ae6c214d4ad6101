import type { Mode } from './contract';
import { parameterOf, type RunParameters } from './parameters';

/** us-east-1. FSx: AWS Price List of 2026-07-13; gp3: secondary sources of 2026. */
export const PRICE_DATE = '2026-07-13';
const HOURS_PER_MONTH = 730;
const GP3_GIB_MONTH = 0.08;
const GP3_IOPS_MONTH = 0.005;
const GP3_IOPS_FREE = 3000;
const GP3_MIBPS_MONTH = 0.04;
const GP3_MIBPS_FREE = 125;
const SCRATCH_GIB_MONTH = 0.14;

/** What the storage of a run costs, in US dollars per hour, in us-east-1. */
export function pricePerHour(run: {
  readonly mode: Mode;
  readonly parameters: RunParameters;
}): number {
  if (run.mode !== 'onlyEBS') {
    return (parameterOf(run, 'lustreStorageCapacity') * SCRATCH_GIB_MONTH) / HOURS_PER_MONTH;
  }
  const month =
    parameterOf(run, 'ebsSizeGb') * GP3_GIB_MONTH +
    Math.max(0, parameterOf(run, 'ebsIOPS') - GP3_IOPS_FREE) * GP3_IOPS_MONTH +
    Math.max(0, parameterOf(run, 'ebsThroughput') - GP3_MIBPS_FREE) * GP3_MIBPS_MONTH;
  return month / HOURS_PER_MONTH;
}
