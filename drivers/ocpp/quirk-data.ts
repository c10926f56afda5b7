/** Vendor quirks as plain data; `quirks.ts` checks it when it is loaded. Every entry says where it is known from. */
export const QUIRK_DATA: readonly unknown[] = [
  { vendor: '^ABB', quirks: { stackLevelZero: true }, source: 'lbbrhzn/ocpp#1737, evcc#15493' },
  { vendor: 'wall ?box', quirks: { relativeOnly: true }, source: 'evcc: templates of Wallbox' },
  {
    vendor: 'wall ?box',
    firmware: '^v?5\\.',
    quirks: { stackLevelZero: true, remoteStart: true },
    source: 'evcc: templates of Wallbox, firmware 5',
  },
  {
    vendor: 'huawei',
    quirks: { unit: 'W', zeroStops: true },
    source: 'evcc#9838, lbbrhzn/ocpp#2084, evcc#29272, evcc#29274',
  },
  {
    vendor: 'go-?e',
    quirks: { unit: 'A', losesProfiles: true },
    source: 'goecharger/go-eCharger-API-v2#190, #155, #217',
  },
  { vendor: 'delta', quirks: { dropsWhileSuspended: true }, source: 'evcc: Delta drops a TxProfile while suspended' },
  { vendor: 'beny', quirks: { keepTransaction: true }, source: 'evcc#12861, evcc#14804' },
  { vendor: 'easee', quirks: { remoteStart: true }, source: 'evcc: template of Easee' },
  { vendor: 'autel', quirks: { remoteStart: true }, source: 'evcc: template of Autel' },
  {
    vendor: 'mennekes',
    model: '4you',
    quirks: { connectSeconds: 900 },
    source: 'evcc: template of Mennekes Amtron 4You (connect takes up to 15 min)',
  },
  {
    vendor: 'ev-?box',
    model: 'elvi|^G[0-9]{3}',
    quirks: { excludedMeasurands: ['Current.Offered', 'Power.Offered', 'SoC', 'Voltage'] },
    source: 'evcc: template of EVBox Elvi',
  },
  { vendor: 'ev-?box', quirks: { measurandsKey: 'evb_SupportedMeasurands' }, source: 'evcc: EVBox' },
  { vendor: 'alfen', quirks: { idTagKey: 'PlugAndChargeIdentifier' }, source: 'evcc: Alfen' },
  { vendor: 'charge ?amps', quirks: { phaseSwitchKey: 'ACPhaseSwitchingSupported' }, source: 'evcc: Charge Amps' },
];
