import Type from 'typebox';
import { defineSettings } from '../../core/config/section.js';

/** The content of the web chat's page. */
export const webchatSettings = defineSettings({
  'webchat.starters': Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
    default: [],
    maxItems: 6,
    description: 'Messages that an empty conversation of the web chat offers; one press sends one.',
  }),
});
