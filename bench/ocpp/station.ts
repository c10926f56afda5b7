/** The logic of a station as the palette runs it. */
import { Station } from '../../drivers/ocpp/station.ts';
import type { StationLogic } from '../../drivers/ocpp/station-io.ts';

/** What a module for `--logic` exports. */
export function create(identity: string, record: unknown): StationLogic {
  const connector = {
    connector: 1,
    id: `${identity}-1`,
    rotation: ['L1', 'L2', 'L3'] as ('L1' | 'L2' | 'L3')[],
    min: 6,
    max: 16,
    safe: 6,
  };
  return new Station({ identity, connectors: [connector], record }, performance.now());
}
