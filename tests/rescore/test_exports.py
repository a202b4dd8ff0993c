"""Exports of WordPress, Disqus and Coral: comments, premises, parents; and XML that means harm."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.rescore import ArchiveError

WORDPRESS = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
  <title>A site</title>
  <item>
    <title><![CDATA[The city should close the square to cars.]]></title>
    <link>https://news.example/square</link>
    <wp:post_id>17</wp:post_id>
    <wp:comment>
      <wp:comment_id>101</wp:comment_id>
      <wp:comment_author><![CDATA[Ana]]></wp:comment_author>
      <wp:comment_content><![CDATA[I agree with the <em>author</em> &amp; the council.]]></wp:comment_content>
      <wp:comment_type><![CDATA[comment]]></wp:comment_type>
      <wp:comment_parent>0</wp:comment_parent>
    </wp:comment>
    <wp:comment>
      <wp:comment_id>102</wp:comment_id>
      <wp:comment_content><![CDATA[Nonsense, this is simply wrong.]]></wp:comment_content>
      <wp:comment_type></wp:comment_type>
      <wp:comment_parent>101</wp:comment_parent>
    </wp:comment>
    <wp:comment>
      <wp:comment_id>103</wp:comment_id>
      <wp:comment_content><![CDATA[[…] read on elsewhere]]></wp:comment_content>
      <wp:comment_type>pingback</wp:comment_type>
    </wp:comment>
    <wp:comment>
      <wp:comment_id>104</wp:comment_id>
      <wp:comment_content><![CDATA[A \x0b control and a \udcff byte.]]></wp:comment_content>
    </wp:comment>
  </item>
</channel>
</rss>
"""

DISQUS = """<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">
<thread dsq:id="9"><link>https://news.example/phones</link>
  <title>School phones ought to be banned.</title></thread>
<post dsq:id="2"><message><![CDATA[<p>No, a terrible idea.</p>]]></message><createdAt>2026-01-01</createdAt>
  <thread dsq:id="9" /><parent dsq:id="1" /></post>
<post dsq:id="1"><message><![CDATA[<p>Yes, this is a good idea.</p>]]></message><thread dsq:id="9" /></post>
</disqus>
"""

PREMISE = "School phones ought to be banned."
CORAL = {
    "stories": [{"id": "s1", "url": "https://news.example/x", "metadata": {"title": PREMISE}}],
    "comments": [
        {
            "id": "b",
            "storyID": "s1",
            "parentID": "a",
            "revisions": [{"body": "old"}, {"body": "<div>Well said, exactly right.</div>"}],
        },
        {"id": "a", "storyID": "s1", "body": "<div>I disagree with the author.</div>"},
    ],
}


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def test_wordpress(bench: Any) -> None:
    outcome = bench.run(write(bench.folder / "export.xml", WORDPRESS), keep=True)
    first, second = bench.rows()
    assert (first["id"], first["article"], first["author"]) == ("101", "17", "Ana")
    assert first["url"] == "https://news.example/square"
    assert first["stance"] is not None
    assert first["reply_stance"] is None
    assert (second["parent"], second["reply_stance"] is None) == ("101", False)
    assert outcome.reasons == {"a pingback or the like, no comment": 1, "invalid UTF-8": 1}
    assert [(row["id"], row["line"]) for row in bench.rejects()] == [("103", 22), ("104", 27)]


def test_the_text_of_a_comment_is_what_readers_see(bench: Any, write: Any) -> None:
    (bench.folder / "export.xml").write_text(
        WORDPRESS.replace("<em>author</em> &amp; the council", "author & the council"),
        encoding="utf-8",
        errors="ignore",
    )
    bench.run(bench.folder / "export.xml", "marked.jsonl")
    bench.run(
        write(
            bench.folder / "plain.jsonl", [{"id": "101", "text": "I agree with the author & the council."}]
        ),
        "plain.out.jsonl",
    )
    [plain] = bench.rows("plain.out.jsonl")
    assert bench.rows("marked.jsonl")[0]["TOXICITY"] == plain["TOXICITY"]


def test_disqus_with_parents_that_come_later(bench: Any) -> None:
    bench.run(write(bench.folder / "export.xml", DISQUS))
    reply, first = bench.rows()
    assert (reply["id"], reply["article"], reply["parent"]) == ("2", "9", "1")
    assert reply["stance"] is not None
    assert reply["reply_stance"] is not None
    assert (first["parent"], first["reply_stance"]) == (None, None)


@pytest.mark.parametrize("form", ["document", "list", "lines"])
def test_coral(bench: Any, form: str) -> None:
    both = [*CORAL["stories"], *CORAL["comments"]]
    text = {
        "document": json.dumps(CORAL, indent=2),
        "list": json.dumps(both),
        "lines": "\n".join(json.dumps(row) for row in reversed(both)),
    }[form]
    bench.run(write(bench.folder / "export.json", text))
    rows = {row["id"]: row for row in bench.rows()}
    assert rows.keys() == {"a", "b"}
    assert rows["b"]["stance"] is not None
    assert rows["b"]["reply_stance"] is not None
    assert rows["a"]["reply_stance"] is None


@pytest.mark.parametrize(
    "harm",
    [
        '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/evil.dtd">',
    ],
)
def test_entities_and_document_types_are_refused(bench: Any, harm: str) -> None:
    text = WORDPRESS.replace("<rss", f"{harm}\n<rss", 1)
    with pytest.raises(ArchiveError, match="document type or entities"):
        bench.run(write(bench.folder / "export.xml", text))


def test_broken_xml_is_told_with_its_line(bench: Any) -> None:
    with pytest.raises(ArchiveError, match="broken XML in line 15"):
        bench.run(write(bench.folder / "export.xml", "\n".join(WORDPRESS.splitlines()[:14]) + "\n<"))
