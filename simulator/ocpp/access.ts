/** Who may charge at a simulated station, and when a transaction begins by itself (OCPP 1.6, 3.4, 4.1, 5.11). */
import type { Connector } from './connector.ts';
import type { JsonObject } from './frames.ts';
import type { StationInside } from './inside.ts';

export interface AccessOptions {
  identity: string;
  start?: 'plug' | 'card';
  idTag?: string;
  authorizes?: boolean;
}

/** Authorises where that is wanted, then starts; without a plugged vehicle the connector waits for one. */
export function present(
  inside: StationInside,
  options: AccessOptions,
  connector: Connector,
  idTag: string,
  remote: boolean,
  now: number,
): void {
  const { configuration, services, link, note } = inside;
  const go = (at: number) => {
    connector.asking = false;
    if (connector.transaction) return;
    if (connector.vehicle.plugged()) connector.begin(idTag, at, connector.reservation?.id);
    else connector.waiting = { idTag, until: at + configuration.number('ConnectionTimeOut') * 1000 };
  };
  const asks = remote ? configuration.flag('AuthorizeRemoteTxRequests') : options.authorizes !== false;
  if (!asks || !inside.accepted()) {
    const known = services.list.get(idTag);
    const allowed = known === undefined ? configuration.flag('AllowOfflineTxForUnknownId') : known === 'Accepted';
    if (!asks || allowed) go(now);
    return;
  }
  connector.asking = true;
  const refused = () => {
    connector.asking = false;
    connector.declined = true;
  };
  link.queue({
    action: 'Authorize',
    payload: () => ({ idTag }),
    answered: (answer, at) => {
      const status = (answer.idTagInfo as JsonObject | undefined)?.status;
      note(`connector ${connector.number}: ${idTag} is ${status}`);
      if (status === 'Accepted') go(at);
      else refused();
    },
    failed: refused,
  });
}

/** A vehicle has come or gone. @param ready the server has accepted the station since it was switched on */
export function followPlug(
  inside: StationInside,
  options: AccessOptions,
  connector: Connector,
  ready: boolean,
  now: number,
): void {
  if (!connector.vehicle.plugged()) {
    connector.end('EVDisconnected', now);
    connector.declined = false;
    return;
  }
  if (connector.transaction || connector.fault || connector.inoperative) return;
  const { waiting } = connector;
  if (waiting) connector.begin(waiting.idTag, now, connector.reservation?.id);
  else if (ready && startsByItself(inside, options, connector)) {
    const tag = inside.configuration.text('PlugAndChargeIdentifier') || options.idTag || `TAG-${options.identity}`;
    present(inside, options, connector, tag.slice(0, 20), false, now);
  }
}

function startsByItself({ behaviour }: StationInside, options: AccessOptions, connector: Connector): boolean {
  if ((options.start ?? 'plug') !== 'plug' || behaviour.remoteStartNeeded) return false;
  // After a stop, and when its tag was declined, the vehicle has to be plugged in again.
  return !connector.finished && !connector.declined && !connector.asking;
}
