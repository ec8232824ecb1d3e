/**
 * Elements that the first view of the page does not need. They are loaded after it, so that it comes sooner; where one
 * stands already, it appears then.
 */
import './blocks/countdown.js';
import './blocks/diagram.js';
import './blocks/file.js';
import './blocks/table.js';
import './compose/voice.js';
