import {
  type Envelope,
  meaningOf,
  REQUEST_LIMITS,
  RunRequested,
  requestFor,
  requestIn,
  S3ObjectCreated,
  SOURCE,
  type UploadedObject,
  type UploadMeaning,
} from '../../events';
import type { Bus, Intake, SettingsSource } from '../lib';

interface Front {
  readonly bus: Bus;
  readonly intake: Pick<Intake, 'read'>;
  readonly settings: SettingsSource;
}

/** What became of an upload: it was made a request, or it is nothing to us, and why. */
export type UploadRead =
  | { readonly kind: 'requested' }
  | { readonly kind: 'ignored'; readonly reason: string };

/** Who sends the requests that come from uploads. */
export const INTAKE_SOURCE = `${SOURCE}.intake`;

/**
 * Turns an upload into a request on our bus, where the intake bucket or cdk.json says so. Delivered
 * twice it is the same request twice, and one run. Changes nothing but the bus.
 */
export async function readUpload(
  envelope: Envelope,
  { bus, intake, settings }: Front,
): Promise<UploadRead> {
  const { data: object } = S3ObjectCreated.parse(envelope);
  const meaning = meaningOf(object, await settings.read());
  if (meaning.kind === 'nothing') return { kind: 'ignored', reason: meaning.reason };
  const detail = await requestOf(object, meaning, intake);
  const entry = { source: INTAKE_SOURCE, detailType: RunRequested.type, detail };
  const [isTaken] = await bus.put([entry]);
  if (!isTaken) throw new Error(`the bus did not take the request of ${object.key}`);
  return { kind: 'requested' };
}

async function requestOf(
  object: UploadedObject,
  meaning: Exclude<UploadMeaning, { kind: 'nothing' }>,
  intake: Front['intake'],
): Promise<object> {
  if (meaning.kind === 'input') return requestFor(object, meaning.upload);
  const { bucket, key } = object;
  const text = await intake.read({ bucket, key, charactersMax: REQUEST_LIMITS.characters });
  return requestIn(object, text);
}
