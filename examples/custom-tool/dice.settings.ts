import { defineSettings, type SettingFault, type SettingsOf, type SettingsReader } from 'openclaw-gateway-nest';
import Type from 'typebox';

/** Keys are written in full: `acme.dice.max_sides` is also the environment variable OPENCLAW_ACME_DICE_MAX_SIDES. */
export const diceSettings = defineSettings(
  {
    'acme.dice.max_sides': Type.Integer({
      default: 100,
      minimum: 2,
      maximum: 1_000,
      description: 'Maximum number of sides of a die.',
    }),
    'acme.dice.lucky_number': Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        description: 'The result of every roll, if the die has this number.',
      }),
    ),
  },
  { rules: [findLuckFaults] },
);

// The types of `config.get('acme.dice.max_sides')` and of the rule below.
declare module 'openclaw-gateway-nest' {
  interface Settings extends SettingsOf<typeof diceSettings> {}
}

/** Validates all settings; runs at start and before each change at run time. */
function findLuckFaults(get: SettingsReader): SettingFault[] {
  const lucky = get('acme.dice.lucky_number');
  if (lucky === undefined || lucky <= get('acme.dice.max_sides')) return [];
  return [{ key: 'acme.dice.lucky_number', message: 'must not be larger than acme.dice.max_sides' }];
}
