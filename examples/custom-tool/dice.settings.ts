import { defineSettings, type SettingFault, type SettingsOf, type SettingsReader } from 'openclaw-gateway-nest';
import Type from 'typebox';

/** Each key is whole: `acme.dice.max_sides` is also the environment variable OPENCLAW_ACME_DICE_MAX_SIDES. */
export const diceSettings = defineSettings(
  {
    'acme.dice.max_sides': Type.Integer({
      default: 100,
      minimum: 2,
      maximum: 1_000,
      description: 'The most sides that a die may have.',
    }),
    'acme.dice.lucky_number': Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, description: 'Every throw shows it, if the die has it.' }),
    ),
  },
  { rules: [findLuckFaults] },
);

// The types of `config.get('acme.dice.max_sides')` and of the rule below.
declare module 'openclaw-gateway-nest' {
  interface Settings extends SettingsOf<typeof diceSettings> {}
}

/** A rule sees all settings; it runs at start and before each change at run time. */
function findLuckFaults(get: SettingsReader): SettingFault[] {
  const lucky = get('acme.dice.lucky_number');
  if (lucky === undefined || lucky <= get('acme.dice.max_sides')) return [];
  return [{ key: 'acme.dice.lucky_number', message: 'is on no die: acme.dice.max_sides is smaller' }];
}
