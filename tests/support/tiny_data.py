"""Tiny datasets in the original formats; every text was invented here."""

import gzip
import json
from pathlib import Path

SPREADSHEET_HEADER = (
    '"topicId,""split"",""topicText"",""topicTarget"",""topicSentiment"",""claims.claimId"",""claims.stance"",'
    '""claims.claimCorrectedText""";;;;'
)

TINY = {
    "civility/davidson-2017/labeled_data.csv": (
        ",count,hate_speech,offensive_language,neither,class,tweet\n"
        '0,3,3,0,0,0,"go home, all of you"\n1,3,0,3,0,1,damn good match\n2,3,0,0,3,2,nice weather\n'
    ),
    "civility/toxic-spans/tsd_train.csv": 'spans,text\n"[4, 5, 6, 7]",You fool there\n[],All is well\n',
    "civility/toxic-spans/tsd_trial.csv": 'spans,text\n"[0, 1]",Ow that hurts\n',
    "civility/fox-news-comments/fox-news-comments.json": "".join(
        json.dumps({"title": "Town opens park", "text": text, "label": label, "prev": prev}) + "\n"
        for text, label, prev in (("Those people again", 1, ""), ("Lovely", 0, "Those people again"))
    ),
    "civility/wiki-toxicity-context/gc.csv": "id,text,parent,label,api\n1,You liar,I did it,1,0.9\n",
    "civility/wiki-toxicity-context/gn.csv": "id,text,label,api,parent\n2,Please cite it,0,0.1,\n",
    "civility/wiki-toxicity-context/cat_small.csv": (
        "text,parent_text,tox_codes_oc,label_oc,tox_codes_ic,label_ic\n"
        "Good grief,No,[0. 0. 1.],0,[1. 1. 0.],1\n"
    ),
    "civility/identity-templates/en_sentence_templates.csv": (
        "template,toxicity,phrase\nyou_are_adj,toxic,You are a vile baker\n"
        "you_are_adj,nontoxic,You are a fine baker\n"
    ),
    "civility/identity-templates/de_sentence_templates.csv": (
        "template,toxicity,phrase\nam_adj,nontoxic,Ich bin Bäcker\n"
    ),
    "civility/identity-templates/nl_sentence_templates.csv": (
        "template,toxicity,phrase\nam_adj,nontoxic,Ik ben bakker\n"
    ),
    "civility/identity-templates/toxicity_debiasing_data.tsv": (
        'rev_id\tcomment\tis_toxic\tsplit\nw1\t"Bakers of the town\nmet ""again""."\tFalse\ttest\n'
    ),
    "civility/reddit-incivility/incivility_coded_0302.csv": (
        'comment,correction\r\n"\n\nYou couldn\u201a\u00c4\u00f4t spell it, clown\n",1\r\n'
        "Thanks for the link,0\r\n"
    ),
    "civility/paradetox/paradetox.tsv": (
        "toxic\tneutral1\tneutral2\tneutral3\nthis damn bus is late\tthis bus is late\tthe bus is late\t\n"
    ),
    "civility/germeval-2018/germeval2018.training.txt": (
        'Ihr "Leute\tOFFENSE\tABUSE\nDu Esel\tOFFENSE\tINSULT\nMist\tOFFENSE\tPROFANITY\n'
    ),
    "civility/germeval-2018/germeval2018.test.txt": "Guten Morgen\tOTHER\tOTHER\n",
    "civility/told-br/ToLD-BR.csv": (
        "text,homophobia,obscene,insult,racism,misogyny,xenophobia\n"
        "seu bobo,0.0,1.0,2.0,0.0,0.0,0.0\nquase,0.0,1.0,0.0,0.0,0.0,0.0\nbom dia,0.0,0.0,0.0,0.0,0.0,0.0\n"
    ),
    "civility/korean-hate-news/train.tsv": (
        "comments\tcontain_gender_bias\tbias\thate\n저런 여자들\tTrue\tgender\thate\n"
    ),
    "civility/korean-hate-news/dev.tsv": (
        "comments\tcontain_gender_bias\tbias\thate\n좋아요\tFalse\tnone\tnone\n"
    ),
    "stance/arc/arc_bodies.csv": (
        "Body ID,articleBody\n90001,Keep it shut\n90002,Open it now\n90003,Bees buzz\n"
    ),
    "stance/arc/arc_debates.csv": (
        "Headline,debateTitle,debateDescription\nOpen the park,Should the Park Open?,x\n"
        "Keep the park shut,Should the Park Open?,x\nBees matter,Do Bees Matter?,x\n"
    ),
    "stance/arc/arc_stances_train.csv": (
        "Headline,Body ID,Stance\nOpen the park,90002,agree\nKeep the park shut,90002,disagree\n"
        "Open the park,90001,disagree\nBees matter,90001,unrelated\n"
    ),
    "stance/arc/arc_stances_test.csv": "Headline,Body ID,Stance\nBees matter,90003,discuss\n",
    "stance/arc/reserved_body_ids.txt": "90001\n90009\n",
    "stance/arct-reasons/reasons.csv": (
        "reasonId,argumentId,reason,annotatedStance,opposingStance,debateTitle,debateDescription,url\n"
        "1_1,1,Parks are healthy,Open the park,Keep the park shut,Should the Park Open?,x,/y\n"
    ),
    "stance/ibm-argq-rank-30k/arg_quality_rank_30k.csv": (
        "argument,topic,set,WA,MACE-P,stance_WA,stance_WA_conf\r\n"
        "It costs lives,We should ban horns,test,0.8,0.7,1,0.9\r\n"
        "Horns warn,We should ban horns,test,0.8,0.7,-1,1\r\n"
    ),
    "stance/ibm-claim-stance/claim_stance_dataset_v1.csv": (
        f"{SPREADSHEET_HEADER}\r\n"
        '"1,""train"",""This house would ban horns"",""horns"",""1"",""7"",""PRO"",""Noise harms; sleep'
        '"; suffers;" too""";;\r\n'
        '"1,""train"",""This house would ban horns"",""horns"",""1"",""8"",""CON"",""Horns are ";;;;\r\n'
        '"called useful by drivers""";;;;\r\n'
    ),
    "stance/argkp-2021/ArgKP-2021_dataset.csv": (
        "topic,argument,key_point,stance,label\nWe should ban horns,horns  WARN,Safety,-1,1\n"
        "We should ban horns,horns  WARN,Law,-1,0\nWe should ban horns,Ears hurt,Health,1,1\n"
    ),
    "stance/valueeval-2023/arguments-training.tsv": (
        "Argument ID\tConclusion\tStance\tPremise\nA1\tWe should ban horns\tagainst\tHorns warn\n"
    ),
    "stance/valueeval-2023/arguments-validation.tsv": (
        'Argument ID\tConclusion\tStance\tPremise\nA2\tWe should plant oaks\tin favor of\tOaks "last\n'
    ),
    "stance/valueeval-2023/arguments-test.tsv": (
        "Argument ID\tConclusion\tStance\tPremise\nA3\tWe should plant oaks\tagainst\tOaks are slow\n"
    ),
    "stance/perspectrum/dataset_split_v1.0.json": json.dumps({"1": "dev"}),
    "stance/perspectrum/perspective_pool_v1.0.json": json.dumps(
        [
            {"pId": 5, "text": "Shade is good", "source": "x"},
            {"pId": 6, "text": "Roots break pipes", "source": "x"},
        ]
    ),
    "stance/perspectrum/perspectrum_with_answers_v1.0.json": json.dumps(
        [
            {
                "cId": 1,
                "text": "We should plant oaks.",
                "perspectives": [
                    {"pids": [5], "stance_label_3": "SUPPORT"},
                    {"pids": [6], "stance_label_3": "UNDERMINE"},
                ],
            }
        ]
    ),
    "stance/ukpconvarg1/tea-or-coffee-_tea.csv": '#id\trank\targument\narg1\t0.1\tTea calms.<br/>So "fine\n',
    "stance/ukpconvarg1/tea-or-coffee-_coffee-wins.csv": "#id\trank\targument\narg2\t0.2\tCoffee wakes.\n",
    "stance/fnc-1/train_bodies.csv": "Body ID,articleBody\n0,A moose ran through town.\n",
    "stance/fnc-1/train_stances.csv": "Headline,Body ID,Stance\nMoose in town,0,agree\nRain,0,unrelated\n",
    "stance/fnc-1/competition_test_bodies.csv": "Body ID,articleBody\n0,The mayor denied it.\n",
    "stance/fnc-1/competition_test_stances.csv": "Headline,Body ID,Stance\nMayor resigns,0,disagree\n",
    "stance/reply-stance/replies.csv": (
        "set,split,parent,reply,label\nr,train,Plane lands,I doubt that,disagree\n"
        "r,train,I doubt that,See the photo,neutral\nr,train,Plane lands,[deleted],neutral\nc,,Hm,Yes,agree\n"
    ),
    "stance/breaking-nli/dataset.jsonl": (
        '{"sentence1": "A red car.", "sentence2": "A blue car.", "gold_label": "contradiction"}\r\n'
        '{"sentence1": "A red car.", "sentence2": "A vehicle.", "gold_label": "entailment"}\r\n'
    ),
}
JIGSAW = (
    "id,comment_text,toxic,severe_toxic,obscene,threat,insult,identity_hate,any_label\n"
    ',"Thanks,\nall",0,0,0,0,0,0,0\nx1,You dolt,1,0,0,0,1,0,1\n,Away with you,,,,,,,1\n'
)


def write_tiny_data(root: Path) -> Path:
    """Write every dataset, a few rows each, and return the folder."""
    for name, text in TINY.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    write_jigsaw(root, JIGSAW)
    return root


def write_jigsaw(root: Path, text: str) -> None:
    """Write the one compressed file."""
    path = root / "civility/jigsaw-toxic-comments/train.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))
