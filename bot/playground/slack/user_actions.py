"""What users do in Slack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.playground.slack import payloads
from bot.playground.slack.delivery import Delivery
from bot.playground.slack.modal_submission import apply_answer, field_values
from bot.playground.slack.model import Answer, Channel, Message, OpenView, User, find_element
from bot.playground.slack.refusal import NotOffered, Refusal
from bot.playground.slack.response_urls import post_answer
from bot.playground.slack.state import BOT, State


class UserActions:
    """Actions of users. They take users by name or id, channels by `#name` or id, and raise NotOffered if impossible."""

    read: Callable[[], None]
    """Called before a person writes or clicks."""

    def __init__(self, state: State, delivery: Delivery, command_name: str) -> None:
        self.state, self.delivery, self.command_name = state, delivery, command_name

    def slash(self, user: str, channel: str, text: str, *, command: str = "") -> Answer:
        """Type a slash command. Only this user sees the bot's answer or Slack's error."""
        self.read()
        name = command or self.command_name
        with self.state.lock:
            person, place = self._in_channel(user, channel)
            form = payloads.command(self.state, person, place, name, text)
        answer = self.delivery.command(form)
        with self.state.lock:
            self._show_answer(person, place, name, answer)
        self.state.changed()
        return answer

    def mention(self, user: str, channel: str, text: str, thread: str = "") -> tuple[Message, Answer | None]:
        """Write `@towpath text`. The answer is None if the bot is not in the channel."""
        return self._write(
            user, channel, f"<@{BOT.id}> {payloads.stored_text(self.state, text)}", thread, notify=True
        )

    def write(self, user: str, channel: str, text: str, thread: str = "") -> Message:
        """Write a message that does not mention the bot."""
        return self._write(user, channel, payloads.stored_text(self.state, text), thread, notify=False)[0]

    def dm(self, user: str, text: str, thread: str = "") -> tuple[Message, Answer | None]:
        """Write a direct message to the bot."""
        with self.state.lock:
            place = self.state.conversation(self.state.user(user).id)
        return self._write(user, place.id, payloads.stored_text(self.state, text), thread, notify=True)

    def open_home(self, user: str) -> Answer:
        """Open the bot's Home tab."""
        with self.state.lock:
            person = self.state.user(user)
            place = self.state.conversation(person.id)
            ts = self.state.new_ts()
            inner = {
                "type": "app_home_opened",
                "user": person.id,
                "channel": place.id,
                "tab": "home",
                "event_ts": ts,
            }
            payload = payloads.event(self.state, inner)
        return self.delivery.event(payload)

    def click(self, user: str, channel: str, message_ts: str, action_id: str) -> Answer:
        """Click a button of a message that the user sees, and confirm it if it asks."""
        self.read()
        with self.state.lock:
            person, place = self._in_channel(user, channel)
            message = self._visible_message(person, place, message_ts)
            element = message.button(action_id)
            if element is None:
                raise NotOffered(f"the message has no {action_id}")
            payload = payloads.click(self.state, person, element, message)
        return self.delivery.interactive(payload)

    def click_view(self, user: str, view_id: str, action_id: str) -> Answer:
        """Click a button in an open modal or in the Home tab."""
        self.read()
        with self.state.lock:
            person = self.state.user(user)
            view = self._view(person, view_id)
            element = find_element(view.view["blocks"], action_id)
            if element is None:
                raise NotOffered(f"the view has no {action_id}")
            payload = payloads.view_click(self.state, person, element, view)
        return self.delivery.interactive(payload)

    def forge_click(
        self, user: str, channel: str, message_ts: str, action_id: str, value: str = "", /, **changes: Any
    ) -> Answer:
        """Send a signed click on a button that need not exist. `changes` replace parts of the payload."""
        self.read()
        with self.state.lock:
            person, place = self.state.user(user), self.state.channel(channel)
            message = Message(place.id, message_ts, BOT.id, "")
            action = {"type": "button", "action_id": action_id, "block_id": "b0", "value": value}
            payload = payloads.click(self.state, person, action, message) | changes
        return self.delivery.interactive(payload)

    def submit(self, user: str, view_id: str, values: dict[str, Any] | None = None) -> Answer:
        """Submit a modal. values: block id to text or the chosen option's value."""
        self.read()
        with self.state.lock:
            person = self.state.user(user)
            view = self._view(person, view_id)
            if view.id in {home.id for home in self.state.homes.values()} or not view.view.get("submit"):
                raise NotOffered("the view has no submit button")
            view.view["state"] = {"values": field_values(view.view["blocks"], values or {})}
            payload = payloads.submission(self.state, person, view)
        answer = self.delivery.interactive(payload)
        with self.state.lock:
            apply_answer(self.state, person.id, view, answer)
        self.state.changed()
        return answer

    def dismiss(self, user: str, view_id: str) -> None:
        """Close a modal."""
        with self.state.lock:
            person = self.state.user(user)
            self.state.views[person.id].remove(self._view(person, view_id))
        self.state.changed()

    def _write(
        self, user: str, channel: str, text: str, thread: str, *, notify: bool
    ) -> tuple[Message, Answer | None]:
        self.read()
        with self.state.lock:
            person, place = self._in_channel(user, channel)
            message = Message(place.id, self.state.new_ts(), person.id, text, thread_ts=thread)
            self.state.add(message)
            delivered = notify and BOT.id in place.members
            payload = (
                payloads.event(self.state, payloads.message_event(message, direct=place.im))
                if delivered
                else None
            )
        self.state.changed()
        return message, self.delivery.event(payload) if payload else None

    def _in_channel(self, user: str, channel: str) -> tuple[User, Channel]:
        person, place = self.state.user(user), self.state.channel(channel)
        if person.id not in place.members:
            raise NotOffered(f"{person.name} is not in the channel")
        return person, place

    def _visible_message(self, person: User, place: Channel, ts: str) -> Message:
        for message in [*self.state.posts[place.id], *self.state.ephemerals]:
            if (message.channel, message.ts) == (place.id, ts) and message.only_for in ("", person.id):
                return message
        raise NotOffered("no such message")

    def _view(self, person: User, view_id: str) -> OpenView:
        """Return the user's topmost modal or Home tab by id. Raises NotOffered for any other view."""
        stack = self.state.views.get(person.id, [])
        home = self.state.homes.get(person.id)
        for view in [*stack[-1:], *([home] if home else [])]:
            if view.id == view_id:
                return view
        raise NotOffered("the view is not open in front")

    def _show_answer(self, person: User, place: Channel, name: str, answer: Answer) -> None:
        if answer.ok and not answer.body:
            return
        body = answer.body
        if not answer.ok:
            word = "dispatch_failed" if answer.status else "operation_timeout"
            body = {"text": f'{name} failed with the error "{word}"'}
        try:
            post_answer(self.state, person.id, place.id, body)
        except Refusal as refusal:
            post_answer(
                self.state, person.id, place.id, {"text": f'{name} failed with the error "{refusal.error}"'}
            )
