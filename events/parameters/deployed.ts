import type { Mode } from '../contract';
import { resolve } from './layers';
import type { Settings } from './request';
import type { Schedule, Upload } from './triggers';

/** A schedule, with the mode whose section of cdk.json has it. */
export interface ModeSchedule extends Schedule {
  readonly mode: Mode;
}

/** An upload prefix, with the mode whose section of cdk.json has it. */
export interface ModeUpload extends Upload {
  readonly mode: Mode;
}

/** The schedules of all modes of a stack. None of a mode whose list is not good. */
export function schedulesOf(settings: Settings): readonly ModeSchedule[] {
  return settings.modes.flatMap((mode) =>
    (deployedOf(mode, settings).schedules ?? []).map((schedule) => ({ ...schedule, mode })),
  );
}

/** The upload prefixes of all modes of a stack. None of a mode whose list is not good. */
export function uploadsOf(settings: Settings): readonly ModeUpload[] {
  return settings.modes.flatMap((mode) =>
    (deployedOf(mode, settings).uploads ?? []).map((upload) => ({ ...upload, mode })),
  );
}

function deployedOf(mode: Mode, { layers }: Settings) {
  const deployed = (layers[mode] ?? []).filter(({ deploys }) => deploys);
  return resolve(mode, deployed).parameters;
}
